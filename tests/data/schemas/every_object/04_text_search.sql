CREATE TEXT SEARCH PARSER every.parser (START = prsd_start, GETTOKEN = prsd_nexttoken,
    END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH TEMPLATE every.template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY every.words (TEMPLATE = every.template, STOPWORDS = english,
    ACCEPT = false);
CREATE TEXT SEARCH DICTIONARY "odd ""; schema"."di;""ct" (TEMPLATE = snowball,
    LANGUAGE = 'german');
CREATE TEXT SEARCH CONFIGURATION every.search (PARSER = every.parser);
ALTER TEXT SEARCH CONFIGURATION every.search ADD MAPPING FOR asciiword, word
    WITH every.words, "odd ""; schema"."di;""ct", pg_catalog.simple;
ALTER TEXT SEARCH CONFIGURATION every.search ADD MAPPING FOR int WITH pg_catalog.simple;
CREATE TEXT SEARCH CONFIGURATION every.copied (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION every.copied DROP MAPPING FOR hword;
ALTER TEXT SEARCH CONFIGURATION every.search OWNER TO every_owner;
ALTER TEXT SEARCH DICTIONARY every.words OWNER TO every_owner;
