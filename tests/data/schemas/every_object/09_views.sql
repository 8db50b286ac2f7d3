CREATE VIEW every.simple AS SELECT id, t FROM every.indexed WHERE n > 1;
CREATE VIEW every.renamed (one, "two ""; three") WITH (security_barrier) AS SELECT 1, 'x;''y'::text;
CREATE VIEW every.invoker WITH (security_invoker = true) AS TABLE every.simple;
CREATE VIEW every.local_check AS SELECT * FROM every.simple WHERE id < 100 WITH LOCAL CHECK OPTION;
CREATE VIEW every.cascaded WITH (check_option = cascaded) AS SELECT * FROM every.local_check;
ALTER VIEW every.cascaded ALTER COLUMN t SET DEFAULT 'from the view';
CREATE RECURSIVE VIEW every.counting (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counting
    WHERE n < 5;
CREATE VIEW every.no_columns AS SELECT;
-- The rest of a row follows from its key, so this one waits for the key.
CREATE VIEW every.by_key AS SELECT i.*, count(*) FROM every.indexed i GROUP BY i.id;
CREATE VIEW every.of_by_key AS SELECT id FROM every.by_key;
CREATE MATERIALIZED VIEW every.mat_by_key AS SELECT id, t, count(*) AS c FROM every.indexed
    GROUP BY id WITH DATA;
-- two views that read each other, through a rule
CREATE VIEW every.ring_one AS SELECT 1 AS x;
CREATE VIEW every.ring_two AS SELECT x FROM every.ring_one;
CREATE OR REPLACE VIEW every.ring_one AS SELECT x FROM (VALUES (1)) AS v (x);

-- names against the order in which they must be refreshed
CREATE MATERIALIZED VIEW every.z_first WITH (fillfactor = 70, autovacuum_enabled = off)
    AS SELECT id, n FROM every.indexed;
CREATE UNIQUE INDEX ON every.z_first (id);
CREATE INDEX ON every.z_first ((n + 1));
CREATE VIEW every.m_between AS SELECT sum(n) AS s FROM every.z_first;
CREATE MATERIALIZED VIEW every.a_last USING every_heap AS
    SELECT s, (SELECT max(c) FROM every.mat_by_key) FROM every.m_between;
CREATE MATERIALIZED VIEW every.not_filled AS SELECT * FROM every.a_last WITH NO DATA;
CREATE MATERIALIZED VIEW every.b_reads_not_filled AS SELECT count(*) FROM every.not_filled
    WITH NO DATA;
CREATE MATERIALIZED VIEW "odd ""; schema"."ma;""t" AS SELECT 'a;b' AS "c;""";
ALTER MATERIALIZED VIEW every.a_last OWNER TO every_super;
CLUSTER every.z_first USING z_first_id_idx;

-- RULE
CREATE RULE redirect AS ON INSERT TO every.renamed DO INSTEAD (
    INSERT INTO every.text_only VALUES (NEW."two ""; three");
    NOTIFY every;
    UPDATE every.text_only SET t = ';' WHERE false);
CREATE RULE "odd ""; rule" AS ON UPDATE TO every.target WHERE OLD.a = 99 DO ALSO NOTHING;
CREATE RULE off AS ON DELETE TO every.target DO INSTEAD NOTHING;
ALTER TABLE every.target DISABLE RULE off;
CREATE RULE always AS ON DELETE TO every.target DO ALSO NOTIFY gone;
ALTER TABLE every.target ENABLE ALWAYS RULE always;
CREATE RULE replica AS ON INSERT TO every.target DO ALSO NOTHING;
ALTER TABLE every.target ENABLE REPLICA RULE replica;

-- TRIGGER: a restore must fire none of them
CREATE FUNCTION every.refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'the trigger % has fired', tg_name; END$$;
CREATE FUNCTION every.change() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN NEW.t := 'changed by a trigger'; RETURN NEW; END$$;
CREATE TRIGGER before_row BEFORE INSERT OR UPDATE OF t, n ON every.indexed FOR EACH ROW
    WHEN (NEW.n > 0 AND NEW.t <> ';') EXECUTE FUNCTION every.change('an', 'argu''ment\');
CREATE TRIGGER after_statement AFTER INSERT OR TRUNCATE ON every.indexed FOR EACH STATEMENT
    EXECUTE FUNCTION every.refuse();
CREATE TRIGGER with_tables AFTER UPDATE ON every.indexed REFERENCING OLD TABLE AS old_rows
    NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION every.refuse();
CREATE CONSTRAINT TRIGGER at_the_end AFTER INSERT OR DELETE ON every.indexed
    FROM every.target DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION every.refuse();
CREATE TRIGGER instead INSTEAD OF INSERT OR UPDATE OR DELETE ON every.by_key FOR EACH ROW
    EXECUTE FUNCTION every.refuse();
CREATE TRIGGER "odd ""; trigger" AFTER DELETE ON "odd ""; schema"."ta""b;le
\unrestrict x" EXECUTE FUNCTION every.refuse();
CREATE TRIGGER off BEFORE INSERT ON every.hen EXECUTE FUNCTION every.refuse();
ALTER TABLE every.hen DISABLE TRIGGER off;
CREATE TRIGGER replica BEFORE INSERT ON every.hen EXECUTE FUNCTION every.refuse();
ALTER TABLE every.hen ENABLE REPLICA TRIGGER replica;
CREATE TRIGGER always BEFORE INSERT ON every.hen EXECUTE FUNCTION every.refuse();
ALTER TABLE every.hen ENABLE ALWAYS TRIGGER always;
CREATE TRIGGER for_parts AFTER INSERT ON every.by_range FOR EACH ROW
    EXECUTE FUNCTION every.refuse();
ALTER TABLE every.range_mid DISABLE TRIGGER for_parts;
