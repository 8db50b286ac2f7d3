-- FUNCTION, every clause of it
CREATE FUNCTION every.plain(a int, b int DEFAULT 2, c text DEFAULT 'x''y') RETURNS int
    LANGUAGE sql IMMUTABLE LEAKPROOF STRICT PARALLEL SAFE COST 7 AS 'SELECT $1 + $2';
CREATE FUNCTION every.plain(a text) RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED
    SECURITY DEFINER SET search_path = '' SET work_mem TO '3MB' SET every.own = 'a''b'
    AS $f$ SELECT $1 || $$;$$ $f$;
CREATE FUNCTION every.standard(a int, OUT b int, OUT c text) LANGUAGE sql
    BEGIN ATOMIC
        SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END;
        SELECT a, 'x;''y' AS words;
    END;
CREATE FUNCTION every.returning(a int) RETURNS int RETURN a * 2;
CREATE FUNCTION every.rows(n int) RETURNS TABLE (i int, t text) LANGUAGE sql ROWS 33
    AS 'SELECT i, i::text FROM generate_series(1, n) i';
CREATE FUNCTION every.setof() RETURNS SETOF every.place LANGUAGE sql AS 'SELECT NULL::every.place';
CREATE FUNCTION every.any_of(VARIADIC list anyarray) RETURNS anyelement
    LANGUAGE sql AS 'SELECT $1[1]';
CREATE FUNCTION every.compatible(anycompatible, anycompatiblearray) RETURNS anycompatible
    LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION every.in_and_out(INOUT a int, VARIADIC b int[]) LANGUAGE plpgsql AS $$
BEGIN
    a := a + array_length(b, 1); -- a comment; "with" 'quotes' /* and */ $x$
END
$$;
CREATE FUNCTION every.support(internal) RETURNS internal LANGUAGE internal
    IMMUTABLE STRICT AS 'textlike_support';
CREATE FUNCTION every.supported(text, text) RETURNS bool LANGUAGE internal IMMUTABLE STRICT
    SUPPORT every.support AS 'textlike';
CREATE FUNCTION every.from_library() RETURNS int LANGUAGE c
    AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE FUNCTION every.windowed() RETURNS bigint LANGUAGE internal WINDOW IMMUTABLE STRICT
    AS 'window_row_number';
CREATE FUNCTION "odd ""; schema"."f""; (x"("a b" int, "select" text) RETURNS text LANGUAGE sql
    AS $_$ SELECT '\' || "select" || E'\\.' $_$;
CREATE FUNCTION every.meta() RETURNS text LANGUAGE sql AS '
\connect nowhere
\unrestrict x
SELECT ''\.''
';
-- PROCEDURE
CREATE PROCEDURE every.act(IN a int, OUT c int, INOUT b text DEFAULT NULL) LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = every, pg_temp AS 'BEGIN c := a; COMMIT; END';
CREATE PROCEDURE every.standard_act() BEGIN ATOMIC
    SELECT every.returning(1);
END;

-- AGGREGATE: ordinary, moving, parallel, ordered-set, hypothetical-set, old form, variadic
CREATE AGGREGATE every.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE AGGREGATE every.moving(float8) (SFUNC = float8pl, STYPE = float8, INITCOND = '0',
    COMBINEFUNC = float8pl, MSFUNC = float8pl, MINVFUNC = float8mi, MSTYPE = float8, MSSPACE = 9,
    MINITCOND = '-0', PARALLEL = SAFE);
CREATE AGGREGATE every.average(int8) (SFUNC = int8_avg_accum, STYPE = internal, SSPACE = 48,
    FINALFUNC = numeric_poly_avg, COMBINEFUNC = int8_avg_combine, SERIALFUNC = int8_avg_serialize,
    DESERIALFUNC = int8_avg_deserialize, PARALLEL = SAFE);
CREATE AGGREGATE every.smallest(int) (SFUNC = int4smaller, STYPE = int, SORTOP = <);
CREATE AGGREGATE every.disc(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition,
    STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA,
    FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE every.ranked(VARIADIC "any" ORDER BY VARIADIC "any") (
    SFUNC = ordered_set_transition_multi, STYPE = internal, FINALFUNC = rank_final,
    FINALFUNC_EXTRA, HYPOTHETICAL);
CREATE FUNCTION every.count_more(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT $1 + 1';
CREATE AGGREGATE every.counted(*) (SFUNC = every.count_more, STYPE = bigint, INITCOND = '0');

-- OPERATOR, also with one that waits for its commutator, and both families of them
CREATE FUNCTION every.fixed_lt(every.fixed, every.fixed) RETURNS bool
    LANGUAGE internal IMMUTABLE STRICT AS 'int8lt';
CREATE FUNCTION every.fixed_le(every.fixed, every.fixed) RETURNS bool
    LANGUAGE internal IMMUTABLE STRICT AS 'int8le';
CREATE FUNCTION every.fixed_eq(every.fixed, every.fixed) RETURNS bool
    LANGUAGE internal IMMUTABLE STRICT AS 'int8eq';
CREATE FUNCTION every.fixed_ne(every.fixed, every.fixed) RETURNS bool
    LANGUAGE internal IMMUTABLE STRICT AS 'int8ne';
CREATE FUNCTION every.fixed_ge(every.fixed, every.fixed) RETURNS bool
    LANGUAGE internal IMMUTABLE STRICT AS 'int8ge';
CREATE FUNCTION every.fixed_gt(every.fixed, every.fixed) RETURNS bool
    LANGUAGE internal IMMUTABLE STRICT AS 'int8gt';
CREATE FUNCTION every.fixed_cmp(every.fixed, every.fixed) RETURNS int
    LANGUAGE internal IMMUTABLE STRICT AS 'btint8cmp';
CREATE FUNCTION every.fixed_hash(every.fixed) RETURNS int
    LANGUAGE internal IMMUTABLE STRICT AS 'hashint8';
CREATE OPERATOR every.< (FUNCTION = every.fixed_lt, LEFTARG = every.fixed, RIGHTARG = every.fixed,
    COMMUTATOR = OPERATOR(every.>), NEGATOR = OPERATOR(every.>=), RESTRICT = scalarltsel,
    JOIN = scalarltjoinsel);
CREATE OPERATOR every.<= (FUNCTION = every.fixed_le, LEFTARG = every.fixed,
    RIGHTARG = every.fixed, COMMUTATOR = OPERATOR(every.>=), NEGATOR = OPERATOR(every.>));
CREATE OPERATOR every.= (FUNCTION = every.fixed_eq, LEFTARG = every.fixed, RIGHTARG = every.fixed,
    COMMUTATOR = OPERATOR(every.=), NEGATOR = OPERATOR(every.<>), RESTRICT = eqsel,
    JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR every.<> (FUNCTION = every.fixed_ne, LEFTARG = every.fixed,
    RIGHTARG = every.fixed, COMMUTATOR = OPERATOR(every.<>), NEGATOR = OPERATOR(every.=));
CREATE OPERATOR every.>= (FUNCTION = every.fixed_ge, LEFTARG = every.fixed,
    RIGHTARG = every.fixed);
CREATE OPERATOR every.> (FUNCTION = every.fixed_gt, LEFTARG = every.fixed, RIGHTARG = every.fixed);
CREATE OPERATOR every.@#@ (FUNCTION = int4abs, RIGHTARG = int);
CREATE OPERATOR "odd ""; schema".->>! (FUNCTION = every.supported, LEFTARG = text,
    RIGHTARG = text);

-- OPERATOR FAMILY and OPERATOR CLASS
CREATE OPERATOR FAMILY every.lonely USING btree;
CREATE OPERATOR FAMILY every.fixed_family USING btree;
CREATE OPERATOR CLASS every.fixed_ops DEFAULT FOR TYPE every.fixed USING btree
    FAMILY every.fixed_family AS OPERATOR 1 every.<, OPERATOR 2 every.<=, OPERATOR 3 every.=,
    OPERATOR 4 every.>=, OPERATOR 5 every.>, FUNCTION 1 every.fixed_cmp(every.fixed, every.fixed),
    FUNCTION 4 btequalimage(oid);
CREATE OPERATOR CLASS every.fixed_hash_ops DEFAULT FOR TYPE every.fixed USING hash AS
    OPERATOR 1 every.=, FUNCTION 1 every.fixed_hash(every.fixed);
CREATE FUNCTION every.fixed_cmp(every.fixed, int) RETURNS int
    LANGUAGE internal IMMUTABLE STRICT AS 'btint84cmp';
CREATE FUNCTION every.fixed_eq(every.fixed, int) RETURNS bool
    LANGUAGE internal IMMUTABLE STRICT AS 'int84eq';
CREATE OPERATOR every.= (FUNCTION = every.fixed_eq, LEFTARG = every.fixed, RIGHTARG = int);
ALTER OPERATOR FAMILY every.fixed_family USING btree ADD OPERATOR 3 every.= (every.fixed, int),
    FUNCTION 1 (every.fixed, int) every.fixed_cmp(every.fixed, int);
-- with an order by distance, and with a type of the entries that is not the column's
CREATE OPERATOR CLASS every.near_ops FOR TYPE point USING gist AS STORAGE box,
    OPERATOR 1 <<, OPERATOR 15 <-> (point, point) FOR ORDER BY float_ops,
    FUNCTION 1 gist_point_consistent(internal, point, smallint, oid, internal),
    FUNCTION 2 gist_box_union(internal, internal), FUNCTION 3 gist_point_compress(internal),
    FUNCTION 5 gist_box_penalty(internal, internal, internal),
    FUNCTION 6 gist_box_picksplit(internal, internal), FUNCTION 7 gist_box_same(box, box, internal),
    FUNCTION 8 gist_point_distance(internal, point, smallint, oid, internal),
    FUNCTION 9 gist_point_fetch(internal);

-- CAST of all three kinds, with all three contexts
CREATE FUNCTION every.place_to_text(every.place) RETURNS text IMMUTABLE RETURN 'place';
CREATE CAST (every.place AS text) WITH FUNCTION every.place_to_text(every.place) AS ASSIGNMENT;
CREATE CAST (every.fixed AS int8) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (int8 AS every.fixed) WITHOUT FUNCTION;
CREATE CAST (every.mood AS varchar) WITH INOUT AS IMPLICIT;
CREATE CAST (money AS int8) WITHOUT FUNCTION;

-- LANGUAGE, TRANSFORM, ACCESS METHOD
CREATE FUNCTION every.call_handler() RETURNS language_handler
    LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION every.inline_handler(internal) RETURNS void
    LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION every.validator(oid) RETURNS void
    LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE TRUSTED LANGUAGE every_tongue HANDLER every.call_handler INLINE every.inline_handler
    VALIDATOR every.validator;
CREATE FUNCTION every.in_tongue() RETURNS int LANGUAGE every_tongue AS 'BEGIN RETURN 42; END';
CREATE TRANSFORM FOR every.nested LANGUAGE every_tongue (
    FROM SQL WITH FUNCTION every.support(internal));
CREATE FUNCTION every.transformed(every.nested) RETURNS int
    LANGUAGE every_tongue TRANSFORM FOR TYPE every.nested AS 'BEGIN RETURN 1; END';
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal),
    TO SQL WITH FUNCTION int4recv(internal));
CREATE ACCESS METHOD every_heap TYPE TABLE HANDLER heap_tableam_handler;
CREATE ACCESS METHOD every_tree TYPE INDEX HANDLER gisthandler;
CREATE OPERATOR CLASS every.tree_ops DEFAULT FOR TYPE box USING every_tree AS OPERATOR 3 &&,
    FUNCTION 1 gist_box_consistent(internal, box, smallint, oid, internal),
    FUNCTION 2 gist_box_union(internal, internal),
    FUNCTION 5 gist_box_penalty(internal, internal, internal),
    FUNCTION 6 gist_box_picksplit(internal, internal), FUNCTION 7 gist_box_same(box, box, internal);

ALTER FUNCTION every.meta() OWNER TO every_owner;
ALTER PROCEDURE every.act(int, text) OWNER TO every_owner;
ALTER AGGREGATE every.disc(float8 ORDER BY anyelement) OWNER TO every_owner;
ALTER OPERATOR every.@#@ (NONE, int) OWNER TO every_owner;
ALTER OPERATOR CLASS every.near_ops USING gist OWNER TO every_owner;
ALTER OPERATOR FAMILY every.lonely USING btree OWNER TO every_owner;
ALTER LANGUAGE every_tongue OWNER TO every_owner;
ALTER FUNCTION every.plain(int, int, text) DEPENDS ON EXTENSION hstore;
