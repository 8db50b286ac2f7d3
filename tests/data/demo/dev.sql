-- What the branch dev has on top of schema.sql and data.sql: a migration that is still being tried.
ALTER TABLE customer ADD COLUMN points integer GENERATED ALWAYS AS (id * 7 % 100) STORED;

CREATE TABLE review (
    sku text NOT NULL REFERENCES product,
    customer_id bigint NOT NULL REFERENCES customer,
    stars smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
    words text,
    PRIMARY KEY (sku, customer_id)
);
INSERT INTO review
SELECT sku, c.id, (c.id % 5 + 1)::smallint, nullif(repeat('good ', (c.id % 4)::integer), '')
FROM customer AS c
JOIN product ON product.sku = 'ABC-' || lpad((c.id % 50 + 1)::text, 4, '0');
CLUSTER review USING review_pkey;
CLUSTER customer;
