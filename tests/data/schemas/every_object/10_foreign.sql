CREATE FOREIGN DATA WRAPPER every_wrapper OPTIONS (host 'a''b;');
CREATE FOREIGN DATA WRAPPER bare NO HANDLER VALIDATOR postgresql_fdw_validator;
CREATE SERVER every_server TYPE 'ty''pe' VERSION '1;2' FOREIGN DATA WRAPPER every_wrapper
    OPTIONS (host 'ho''st', dbname 'd"b');
CREATE SERVER "odd ""; server" FOREIGN DATA WRAPPER bare OPTIONS (dbname 'd');
CREATE USER MAPPING FOR PUBLIC SERVER every_server;
CREATE USER MAPPING FOR every_reader SERVER every_server OPTIONS (user 'u''ser', password 'p;"w');
CREATE USER MAPPING FOR postgres SERVER "odd ""; server" OPTIONS (user 'c');
CREATE FOREIGN TABLE every.abroad (id int OPTIONS ("co l" 'x') NOT NULL, t text DEFAULT ';',
    g int GENERATED ALWAYS AS (id * 2) STORED, CONSTRAINT far CHECK (id > 0)) SERVER every_server
    OPTIONS ("table" 'a''b');
CREATE FOREIGN TABLE every.abroad_part PARTITION OF every.by_list FOR VALUES IN ('abroad')
    SERVER every_server;
CREATE FOREIGN TABLE every.abroad_child () INHERITS (every.other_parent) SERVER every_server;
ALTER FOREIGN DATA WRAPPER bare OWNER TO every_super;
ALTER SERVER every_server OWNER TO every_owner;
ALTER FOREIGN TABLE every.abroad OWNER TO every_owner;

-- the tables of another server, here this one
CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw;
ALTER SERVER itself OPTIONS (ADD host :'bp_host', ADD port :'bp_port', ADD dbname :'DBNAME');
CREATE USER MAPPING FOR CURRENT_USER SERVER itself
    OPTIONS (user 'postgres', password :'bp_password');
CREATE SCHEMA imported;
IMPORT FOREIGN SCHEMA every LIMIT TO (target, columns, by_range) FROM SERVER itself INTO imported
    OPTIONS (import_default 'false');
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE every.nowhere (line text) SERVER files OPTIONS (filename '/nonexistent/file');

-- PUBLICATION
CREATE PUBLICATION pub_everything FOR ALL TABLES WITH (publish = 'insert, truncate',
    publish_via_partition_root = true);
CREATE PUBLICATION pub_nothing;
CREATE PUBLICATION pub_tables FOR TABLE every.target (a, b),
    every.pointing WHERE (id > 1 AND a < 9),
    ONLY every.parent WITH (publish = '');
CREATE PUBLICATION pub_schemas FOR TABLES IN SCHEMA every_other, "odd ""; schema";
CREATE PUBLICATION "odd ""; pub" FOR TABLES IN SCHEMA every_elements, TABLE every.by_range;
ALTER PUBLICATION pub_tables OWNER TO every_super;

-- SUBSCRIPTION, of a server that nobody asks
CREATE SUBSCRIPTION sub_off CONNECTION 'host=127.0.0.1 port=1 dbname=''a b'' password=p'
    PUBLICATION one, "t;""wo" WITH (connect = false, slot_name = NONE, enabled = false,
    create_slot = false, synchronous_commit = remote_apply, binary = true, streaming = true,
    two_phase = false, disable_on_error = true);
CREATE ROLE every_subscriber SUPERUSER;
ALTER SUBSCRIPTION sub_off OWNER TO every_subscriber;
