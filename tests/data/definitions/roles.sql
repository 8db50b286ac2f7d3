DO $backproof$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'parts_owner') THEN
    RETURN;
  END IF;
  CREATE ROLE parts_owner;
END
$backproof$;
DO $backproof$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'parts_reader') THEN
    RETURN;
  END IF;
  CREATE ROLE parts_reader;
END
$backproof$;
DO $backproof$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'postgres') THEN
    RETURN;
  END IF;
  CREATE ROLE postgres CREATEDB CREATEROLE LOGIN;
  IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
    ALTER ROLE postgres SUPERUSER REPLICATION BYPASSRLS;
  END IF;
END
$backproof$;
