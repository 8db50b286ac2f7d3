SELECT lo_from_bytea(60001, 'hello'), lo_create(60002), lo_create(60004),
    lo_from_bytea(60003, decode(repeat('00ff5c0a', 300000), 'hex'));
-- one with a hole
SELECT lo_put(60004, 200000, 'behind the hole');
ALTER LARGE OBJECT 60001 OWNER TO every_owner;
ALTER LARGE OBJECT 60002 OWNER TO "every Odd "" role\%s";
REVOKE UPDATE ON LARGE OBJECT 60001 FROM every_owner;
GRANT SELECT ON LARGE OBJECT 60001 TO every_reader WITH GRANT OPTION;
GRANT ALL ON LARGE OBJECT 60002 TO PUBLIC;
-- granted on by one who may
SET ROLE every_reader;
GRANT SELECT ON LARGE OBJECT 60001 TO every_group;
RESET ROLE;
COMMENT ON LARGE OBJECT 60001 IS E'two\nlines; \\ ! '' " \t';
COMMENT ON LARGE OBJECT 60003 IS 'big';
CREATE TABLE every.lo_owners (id int PRIMARY KEY, lo oid);
INSERT INTO every.lo_owners VALUES (1, 60001), (2, 60003), (3, NULL);
