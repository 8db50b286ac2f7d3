-- The database of a small web shop, as its branch main has it. One of everything that a backup
-- must not lose: an enum, a domain, identity and serial columns, a partitioned table, constraints,
-- indexes, views, a trigger, comments, a name that needs quotes.

CREATE TYPE order_state AS ENUM ('new', 'paid', 'shipped', 'returned');
CREATE DOMAIN email AS text CHECK (VALUE ~ '^[^@]+@[^@]+$');
CREATE SCHEMA audit;

CREATE TABLE customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    email email NOT NULL UNIQUE,
    address jsonb,
    labels text[] NOT NULL DEFAULT '{}',
    joined timestamptz NOT NULL
);
COMMENT ON TABLE customer IS 'Who buys; 50% come back.';

CREATE TABLE product (
    sku text PRIMARY KEY CHECK (sku ~ '^[A-Z]{3}-[0-9]{4}$'),
    title text NOT NULL,
    price numeric(10, 2) NOT NULL CHECK (price >= 0),
    weight double precision,
    picture bytea,
    "on sale?" boolean NOT NULL DEFAULT false
);
CREATE INDEX product_on_sale ON product (price) WHERE "on sale?";

CREATE TABLE purchase (
    id serial,
    customer_id bigint NOT NULL REFERENCES customer,
    state order_state NOT NULL DEFAULT 'new',
    bought timestamptz NOT NULL,
    note text,
    PRIMARY KEY (id, bought)
) PARTITION BY RANGE (bought);
CREATE TABLE purchase_2023 PARTITION OF purchase
    FOR VALUES FROM ('2023-01-01 00:00+00') TO ('2024-01-01 00:00+00');
CREATE TABLE purchase_2024 PARTITION OF purchase
    FOR VALUES FROM ('2024-01-01 00:00+00') TO ('2025-01-01 00:00+00');
CREATE INDEX purchase_customer ON purchase (customer_id, bought DESC);

CREATE TABLE purchase_line (
    purchase_id integer NOT NULL,
    bought timestamptz NOT NULL,
    line smallint NOT NULL,
    sku text NOT NULL REFERENCES product ON UPDATE CASCADE,
    quantity integer NOT NULL CHECK (quantity > 0),
    price numeric(10, 2) NOT NULL,
    total numeric(12, 2) GENERATED ALWAYS AS (quantity * price) STORED,
    PRIMARY KEY (purchase_id, line),
    FOREIGN KEY (purchase_id, bought) REFERENCES purchase (id, bought) ON DELETE CASCADE
);

-- No key at all: two equal rows are two rows.
CREATE TABLE audit.change (
    at timestamptz NOT NULL,
    what text NOT NULL,
    detail jsonb
);

CREATE FUNCTION audit.note_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit.change VALUES (now(), 'price',
        jsonb_build_object('sku', new.sku, 'from', old.price, 'to', new.price));
    RETURN new;
END $$;
CREATE TRIGGER price AFTER UPDATE OF price ON product
    FOR EACH ROW WHEN (old.price IS DISTINCT FROM new.price) EXECUTE FUNCTION audit.note_price();

CREATE VIEW turnover AS
    SELECT date_trunc('month', bought AT TIME ZONE 'UTC') AS month, sum(total) AS total
    FROM purchase_line GROUP BY 1;
CREATE MATERIALIZED VIEW bestseller AS
    SELECT sku, sum(quantity) AS sold FROM purchase_line GROUP BY sku WITH NO DATA;
CREATE UNIQUE INDEX bestseller_sku ON bestseller (sku);
