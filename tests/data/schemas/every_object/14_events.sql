-- Each of them forbids something: a restore that made them too early would fail.
CREATE FUNCTION every.forbid() RETURNS event_trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'the event trigger has seen %', tg_tag; END$$;
CREATE EVENT TRIGGER a_create ON ddl_command_start
    WHEN tag IN ('CREATE TABLE', 'CREATE INDEX', 'ALTER TABLE') EXECUTE FUNCTION every.forbid();
CREATE EVENT TRIGGER ended ON ddl_command_end WHEN tag IN ('CREATE VIEW', 'GRANT')
    EXECUTE FUNCTION every.forbid();
CREATE EVENT TRIGGER dropped ON sql_drop EXECUTE FUNCTION every.forbid();
CREATE EVENT TRIGGER "odd ""; event" ON table_rewrite EXECUTE FUNCTION every.forbid();
CREATE EVENT TRIGGER off ON ddl_command_start EXECUTE FUNCTION every.forbid();
ALTER EVENT TRIGGER off DISABLE;
CREATE EVENT TRIGGER replica ON ddl_command_start EXECUTE FUNCTION every.forbid();
ALTER EVENT TRIGGER replica ENABLE REPLICA;
CREATE EVENT TRIGGER always ON ddl_command_start WHEN tag IN ('DROP TABLE')
    EXECUTE FUNCTION every.forbid();
ALTER EVENT TRIGGER always ENABLE ALWAYS;
ALTER EVENT TRIGGER ended OWNER TO every_super;
COMMENT ON EVENT TRIGGER off IS 'event trigger';
