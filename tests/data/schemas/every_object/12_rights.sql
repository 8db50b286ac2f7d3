-- POLICY: every command, for some, restrictive, forced on the owner
CREATE TABLE every.guarded (id int PRIMARY KEY, owner text);
INSERT INTO every.guarded VALUES (1, 'every_reader'), (2, 'nobody');
ALTER TABLE every.guarded ENABLE ROW LEVEL SECURITY;
ALTER TABLE every.guarded FORCE ROW LEVEL SECURITY;
CREATE POLICY for_all ON every.guarded USING (owner = current_user);
CREATE POLICY for_select ON every.guarded FOR SELECT TO every_reader USING (true);
CREATE POLICY for_insert ON every.guarded AS RESTRICTIVE FOR INSERT WITH CHECK (owner <> ';''');
CREATE POLICY for_update ON every.guarded FOR UPDATE TO every_group USING (id > 0)
    WITH CHECK (EXISTS (SELECT FROM every.target));
CREATE POLICY "odd ""; policy" ON every.guarded FOR DELETE USING (false);
ALTER TABLE every.guarded OWNER TO every_owner;
CREATE POLICY sleeping ON every.checked USING (false);
ALTER TABLE every.by_range ENABLE ROW LEVEL SECURITY;

-- GRANT on every kind
GRANT USAGE ON SCHEMA every, "odd ""; schema" TO every_reader, "every Odd "" role\%s";
GRANT SELECT, INSERT (a), UPDATE (a, b), REFERENCES (u) ON every.target TO every_reader;
GRANT SELECT (a) ON every.target TO every_group WITH GRANT OPTION;
GRANT ALL ON every.columns TO PUBLIC;
GRANT TRIGGER, TRUNCATE ON every.columns TO "every Odd "" role\%s" WITH GRANT OPTION;
SET ROLE "every Odd "" role\%s";
GRANT TRUNCATE ON every.columns TO every_group;
RESET ROLE;
REVOKE ALL ON every.options FROM postgres;
REVOKE INSERT ON every.columns FROM every_owner;
GRANT SELECT ON every.simple, every.z_first, every.abroad TO every_reader;
GRANT USAGE ON SEQUENCE every.seq_all, every.columns_id_seq TO every_reader;
GRANT SELECT, UPDATE ON SEQUENCE every.seq_int TO PUBLIC;
REVOKE EXECUTE ON FUNCTION every.plain(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION every.plain(text), every.total(int) TO every_reader WITH GRANT OPTION;
REVOKE ALL ON PROCEDURE every.act(int, text) FROM PUBLIC, every_owner;
GRANT ALL ON ROUTINE every.standard_act() TO every_group;
GRANT CREATE ON SCHEMA every_other TO every_group WITH GRANT OPTION;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO every_reader;
REVOKE USAGE ON TYPE every.mood FROM PUBLIC;
GRANT USAGE ON TYPE every.mood, every.place TO every_reader;
GRANT USAGE ON DOMAIN every.words TO every_reader WITH GRANT OPTION;
REVOKE USAGE ON LANGUAGE every_tongue FROM PUBLIC;
GRANT USAGE ON LANGUAGE every_tongue TO every_reader;
GRANT USAGE ON FOREIGN DATA WRAPPER every_wrapper TO every_owner;
GRANT USAGE ON FOREIGN SERVER every_server TO every_reader WITH GRANT OPTION;
-- on what is not the user's own: members of an extension, the system catalog
REVOKE ALL ON FUNCTION every_other.akeys(every_other.hstore) FROM PUBLIC;
GRANT SELECT ON every_other.bp_settings TO every_reader;
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) FROM PUBLIC;
GRANT SELECT (rolname) ON pg_catalog.pg_authid TO every_reader;
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;

-- ALTER DEFAULT PRIVILEGES: everywhere and in one schema, of each kind
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE every_owner GRANT SELECT ON TABLES TO every_reader
    WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE every_owner REVOKE ALL ON TABLES FROM every_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE every_owner IN SCHEMA every GRANT USAGE ON SEQUENCES TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA every GRANT ALL ON FUNCTIONS TO "every Odd "" role\%s";
ALTER DEFAULT PRIVILEGES FOR ROLE "every Odd "" role\%s" REVOKE USAGE ON TYPES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE every_admin GRANT CREATE ON SCHEMAS TO every_group;
