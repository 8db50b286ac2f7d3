-- Rows for schema.sql: as many as the psql variables customers, products and purchases say. All of
-- them come from their numbers, never from chance, so that every demo shows the same.
--
-- A restore writes the rows of a table in the order of its key, or sorted when it has none. At the
-- end, they have that order here too: only then can whole dumps be compared byte by byte.

INSERT INTO customer (name, email, address, labels, joined)
SELECT 'Customer ' || n, 'customer' || n || '@shop.example',
       CASE WHEN n % 5 > 0 THEN jsonb_build_object('street', n % 90 + 1 || ' High Street',
           'town', (ARRAY['Aarhus', 'Łódź', 'Zürich', '京都', 'Tromsø'])[n % 5 + 1]) END,
       (ARRAY['{}', '{new}', '{regular,newsletter}', '{"with, comma","with \"quotes\""}'])[n % 4 + 1]
           ::text[],
       timestamptz '2023-01-01 00:00+00' + n * interval '1 hour 13 seconds'
FROM generate_series(1, :customers) AS n;

INSERT INTO product
SELECT 'ABC-' || lpad(n::text, 4, '0'), 'Product ' || n || E'\twith a tab, a \\ and\na second line',
       (n * 7919 % 20000) / 100.0, n / 3.0::double precision,
       CASE WHEN n % 4 = 0 THEN decode(md5(n::text) || md5('x' || n), 'hex') END, n % 10 = 0
FROM generate_series(1, :products) AS n;

INSERT INTO purchase (customer_id, state, bought, note)
SELECT n * 31 % :customers + 1, (enum_range(NULL::order_state))[n % 4 + 1],
       timestamptz '2023-01-01 00:00+00' + n * (interval '729 days' / :purchases),
       (ARRAY[NULL, '', 'leave it with the neighbour', E'ring twice\nthen wait', '\N'])[n % 5 + 1]
FROM generate_series(1, :purchases) AS n;

INSERT INTO purchase_line (purchase_id, bought, line, sku, quantity, price)
SELECT p.id, p.bought, line, product.sku, (p.id + line) % 4 + 1, product.price
FROM purchase AS p
CROSS JOIN LATERAL generate_series(1, p.id % 3 + 1) AS line
JOIN product ON product.sku = 'ABC-' || lpad(((p.id * 17 + line * 29) % :products + 1)::text, 4, '0');

-- The trigger notes when a price changed; here, that is always the same moment. And two equal rows.
UPDATE product SET price = price + 0.5 WHERE sku < 'ABC-0021';
WITH noted AS (DELETE FROM audit.change RETURNING what, detail)
INSERT INTO audit.change
SELECT '2024-12-31 23:59+00', what, detail FROM noted, generate_series(1, 2)
ORDER BY detail::text COLLATE "C";

CLUSTER customer USING customer_pkey;
CLUSTER product USING product_pkey;
CLUSTER purchase_2023 USING purchase_2023_pkey;
CLUSTER purchase_2024 USING purchase_2024_pkey;
CLUSTER purchase_line USING purchase_line_pkey;

REFRESH MATERIALIZED VIEW bestseller;
SELECT lo_from_bytea(20001, convert_to('the terms of business, version 1', 'UTF8')) \g /dev/null
