CREATE TABLE every.by_range (id int, day date NOT NULL, t text DEFAULT 'root',
    made int GENERATED ALWAYS AS (id + 1) STORED, PRIMARY KEY (id, day))
    PARTITION BY RANGE (day, id);
CREATE TABLE every.range_low PARTITION OF every.by_range
    FOR VALUES FROM (MINVALUE, MINVALUE) TO ('2020-01-01', 0);
CREATE TABLE every.range_mid PARTITION OF every.by_range (t DEFAULT 'leaf', CHECK (id > 0))
    FOR VALUES FROM ('2020-01-01', 0) TO ('2021-01-01', MAXVALUE) WITH (fillfactor = 80);
CREATE TABLE every.range_rest PARTITION OF every.by_range DEFAULT;
-- attached, with another order of columns and one that is gone
CREATE TABLE every.range_high (t text, gone int, day date NOT NULL, id int NOT NULL,
    made int GENERATED ALWAYS AS (id + 1) STORED);
ALTER TABLE every.range_high DROP COLUMN gone;
ALTER TABLE every.by_range ATTACH PARTITION every.range_high
    FOR VALUES FROM ('2022-01-01', MINVALUE) TO ('2023-01-01', MINVALUE);
INSERT INTO every.by_range (id, day) SELECT i, date '2019-06-01' + i * 30
    FROM generate_series(1, 60) AS i;

CREATE TABLE every.by_list (k text COLLATE "C", n int) PARTITION BY LIST (k);
CREATE TABLE every.list_a PARTITION OF every.by_list FOR VALUES IN ('a', 'it''s', NULL)
    PARTITION BY RANGE (n);
CREATE TABLE every.list_a_low PARTITION OF every.list_a FOR VALUES FROM (MINVALUE) TO (10);
CREATE TABLE every.list_a_high PARTITION OF every.list_a FOR VALUES FROM (10) TO (MAXVALUE)
    PARTITION BY HASH (n);
CREATE TABLE every.list_a_high_0 PARTITION OF every.list_a_high
    FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE every.list_a_high_1 PARTITION OF every.list_a_high
    FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE UNLOGGED TABLE every.list_b PARTITION OF every.by_list FOR VALUES IN ('b');
INSERT INTO every.by_list SELECT (ARRAY['a', 'it''s', NULL, 'b'])[1 + i % 4], i
    FROM generate_series(1, 30) AS i;

CREATE TABLE every.by_expression (id int, t text)
    PARTITION BY RANGE ((id / 10), lower(t) COLLATE "C");
CREATE TABLE every.expression_one PARTITION OF every.by_expression
    FOR VALUES FROM (0, 'a') TO (1, 'it''s; ');
CREATE TABLE every.expression_rest PARTITION OF every.by_expression DEFAULT;
INSERT INTO every.by_expression SELECT i, 'T' FROM generate_series(1, 20) AS i;

CREATE TABLE every.no_leaves (id int) PARTITION BY LIST (id);

-- Each row's partition depends on a hash of the bytes; that of an enum value on its OID.
CREATE TABLE every.by_hash (id int PRIMARY KEY, t text) PARTITION BY HASH (id);
CREATE TABLE every.hash_0 PARTITION OF every.by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE every.hash_1 PARTITION OF every.by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE every.hash_2 PARTITION OF every.by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO every.by_hash SELECT i, 'row' FROM generate_series(1, 20) AS i;
