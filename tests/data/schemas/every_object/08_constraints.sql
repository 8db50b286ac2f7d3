CREATE TABLE every.checked (id int PRIMARY KEY, a int, b text, c int4range, v text,
    CONSTRAINT positive CHECK (a > 0), CONSTRAINT "odd ""; check" CHECK (b <> ';''"' OR a IS NULL),
    CONSTRAINT not_passed_on CHECK (a < 1000) NO INHERIT,
    CONSTRAINT once UNIQUE NULLS NOT DISTINCT (a, b) INCLUDE (v) WITH (fillfactor = 75),
    CONSTRAINT later UNIQUE (b) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT apart EXCLUDE USING gist (c WITH &&, a WITH OPERATOR(pg_catalog.=)) WHERE (a > 0)
        DEFERRABLE);
INSERT INTO every.checked VALUES (1, 1, 'x', '[1,5)', 'v'), (2, NULL, 'y', '[1,5)', NULL),
    (3, 2000 - 1999 + 1, NULL, NULL, NULL);
UPDATE every.checked SET v = 'not valid' WHERE id = 3;
ALTER TABLE every.checked ADD CONSTRAINT not_valid CHECK (v <> 'not valid') NOT VALID;

-- FOREIGN KEY: all actions, all forms of MATCH, itself, a cycle, partitioned on both sides
CREATE TABLE every.target (a int, b int, PRIMARY KEY (a, b), u int UNIQUE);
INSERT INTO every.target VALUES (1, 1, 1), (2, 2, 2), (0, 0, 0);
CREATE TABLE every.pointing (id int PRIMARY KEY, a int DEFAULT 0, b int DEFAULT 0, u int, up int,
    CONSTRAINT full_match FOREIGN KEY (a, b) REFERENCES every.target MATCH FULL
        ON DELETE CASCADE ON UPDATE RESTRICT,
    CONSTRAINT null_one FOREIGN KEY (a, b) REFERENCES every.target ON DELETE SET NULL (b),
    CONSTRAINT default_one FOREIGN KEY (a, b) REFERENCES every.target ON DELETE SET DEFAULT (a)
        ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT to_unique FOREIGN KEY (u) REFERENCES every.target (u) ON UPDATE CASCADE DEFERRABLE,
    CONSTRAINT itself FOREIGN KEY (up) REFERENCES every.pointing ON DELETE NO ACTION);
INSERT INTO every.pointing VALUES (1, 1, 1, 1, 3), (2, 2, 2, NULL, 1), (3, NULL, NULL, 2, 2);
CREATE TABLE every.hen (id int PRIMARY KEY, egg int);
CREATE TABLE every.egg (id int PRIMARY KEY, hen int NOT NULL REFERENCES every.hen);
INSERT INTO every.hen VALUES (1, 1), (2, 77);
INSERT INTO every.egg VALUES (1, 1);
ALTER TABLE every.hen ADD CONSTRAINT from_egg FOREIGN KEY (egg) REFERENCES every.egg NOT VALID;
CREATE TABLE every.to_parts (id int PRIMARY KEY REFERENCES every.by_hash ON DELETE CASCADE);
INSERT INTO every.to_parts VALUES (7), (3);
ALTER TABLE every.range_mid ADD CONSTRAINT from_leaf FOREIGN KEY (id) REFERENCES every.by_hash
    NOT VALID;

-- INDEX: every method and clause
CREATE TABLE every.indexed (id int PRIMARY KEY, t text, n int, arr int[], p point, r int4range,
    ip inet, bx box, tv tsvector, js jsonb, f every.fixed);
INSERT INTO every.indexed SELECT i, 'text ' || i, i % 7, ARRAY[i, i + 1], point(i, i),
    int4range(i, i + 2), '10.0.0.1', box(point(i, i)), to_tsvector('simple', 'w' || i),
    '{"a": 1}', i::bigint::every.fixed FROM generate_series(1, 40) AS i;
CREATE UNIQUE INDEX index_nulls ON every.indexed (n, id) NULLS NOT DISTINCT;
CREATE INDEX index_partial ON every.indexed (n DESC NULLS LAST, t COLLATE every.icu) WHERE n > 3;
CREATE INDEX index_expression ON every.indexed (lower(t), (n + 1) int4_ops) INCLUDE (p);
ALTER INDEX every.index_expression ALTER COLUMN 2 SET STATISTICS 99;
CREATE INDEX index_pattern ON every.indexed (t text_pattern_ops) WITH (deduplicate_items = off);
CREATE INDEX index_hash ON every.indexed USING hash (t) WITH (fillfactor = 60);
CREATE INDEX index_brin ON every.indexed USING brin (id int4_minmax_multi_ops
    (values_per_range = 16), n int4_bloom_ops (false_positive_rate = 0.05))
    WITH (pages_per_range = 4, autosummarize = on);
CREATE INDEX index_gin ON every.indexed USING gin (arr, js jsonb_path_ops)
    WITH (fastupdate = off, gin_pending_list_limit = 128);
CREATE INDEX index_gist ON every.indexed USING gist (p, r, tv tsvector_ops (siglen = 100))
    WITH (buffering = on);
CREATE INDEX index_near ON every.indexed USING gist (p every.near_ops);
CREATE INDEX index_spgist ON every.indexed USING spgist (p kd_point_ops);
CREATE INDEX index_inet ON every.indexed USING spgist (ip);
CREATE INDEX index_own_class ON every.indexed (f);
CREATE INDEX index_own_method ON every.indexed USING every_tree (bx);
CREATE INDEX "index "";
odd" ON every.indexed ((t || ';"'''));
CLUSTER every.indexed USING index_nulls;
CREATE TABLE every.replicated (id int NOT NULL, t text);
CREATE UNIQUE INDEX replica_key ON every.replicated (id);
ALTER TABLE every.replicated REPLICA IDENTITY USING INDEX replica_key;
ALTER TABLE every.nothing REPLICA IDENTITY FULL;
ALTER TABLE every.unlogged REPLICA IDENTITY NOTHING;
ALTER TABLE every.options ADD CONSTRAINT with_method EXCLUDE USING hash (t WITH =);
CREATE TABLE every.key_with_more (a int, b text, PRIMARY KEY (a) INCLUDE (b));
ALTER TABLE every.key_with_more CLUSTER ON key_with_more_pkey;
-- of partitions: a whole one, one that waits for its parts, one of a part alone
CREATE INDEX parts_day ON every.by_range (day);
CREATE INDEX parts_wait ON ONLY every.by_range (t);
CREATE INDEX part_wait ON every.range_low (t);
ALTER INDEX every.parts_wait ATTACH PARTITION every.part_wait;
CREATE UNIQUE INDEX part_alone ON every.range_mid (id);
ALTER TABLE every.range_mid REPLICA IDENTITY USING INDEX range_mid_pkey;

-- STATISTICS
CREATE STATISTICS every.stats_all ON n, t FROM every.indexed;
CREATE STATISTICS every.stats_some (ndistinct, mcv) ON n, id, (n + id) FROM every.indexed;
CREATE STATISTICS every.stats_expression ON (lower(t)) FROM every.indexed;
CREATE STATISTICS "odd ""; schema"."st;""at" (dependencies) ON a, b FROM every.target;
ALTER STATISTICS every.stats_some SET STATISTICS 333;
ALTER STATISTICS every.stats_all OWNER TO every_owner;
ANALYZE every.indexed;
