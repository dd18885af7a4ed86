-- The one way into the books.
--
-- ledger_post(payload) posts an array of transfers in order and says, for each one refused, why.
-- The answer is exactly that of posting the linked groups one after another; the work is done on sets:
--
--   ledger_classify   one pass over all transfers: every check that needs no order
--   ledger_tight      which floored accounts could be emptied by this call, in the worst order
--   ledger_walk       only the groups that such an account, a refusal or a contested hold concerns,
--                     one by one, in order
--   ledger_apply      one statement writes what stands: transfers, sums, history, the chain's link
--
-- A refusal touches nobody else's transfers. All functions are plpgsql because its plans are kept for
-- the life of a connection; the books are locked meanwhile, so a plan made anew is everybody's wait.
--
-- Payload members: p position (from 0), g linked group, id, o owner, d debit account, c credit account,
-- a amount (minor units), y currency, k kind, h phase, s subject, pe pending, r reverses, e effective.

-- Wallets change all the time: room on the page keeps their updates out of the indexes.
ALTER TABLE ledger_account SET (fillfactor = 70);

CREATE TYPE ledger_input AS (
    p int, g int, id uuid, o uuid, d uuid, c uuid, a bigint, y text, k text, h text,
    s uuid, pe uuid, r uuid, e timestamptz
);

-- A transfer and what was found out about it. `held`: the amount of the hold it resolves. `contest`: the
-- same number on all that would resolve one hold, if several would. For each of its two accounts that has
-- a floor: `room`, what may leave it before this call, and `delta`, what the transfer does to that.
CREATE TYPE ledger_leg AS (
    p int, g int, id uuid, o uuid, d uuid, c uuid, a bigint, y text, k text, h text,
    s uuid, pe uuid, r uuid, e timestamptz,
    held bigint, contest int, d_room bigint, d_delta bigint, c_room bigint, c_delta bigint, code text
);


CREATE FUNCTION ledger_lock() RETURNS bigint LANGUAGE sql AS $$
    -- One writer at a time: taken first by everybody who posts, so account locks cannot deadlock.
    SELECT seq FROM ledger_book WHERE id = 1 FOR UPDATE;
$$;


CREATE FUNCTION ledger_canonical(
    id uuid, owner uuid, debit uuid, credit uuid, amount bigint, currency text, kind text, phase text,
    subject uuid, pending uuid, reverses uuid, effective timestamptz
) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    -- The text of a transfer that goes into the hash: every column, in this order; NULL is empty.
    -- STABLE, not IMMUTABLE: that is what its parts are, and only so the planner writes it inline.
    SELECT concat(id, '|', owner, '|', debit, '|', credit, '|', amount, '|', currency, '|', kind, '|',
        phase, '|', subject, '|', pending, '|', reverses, '|',
        (extract(epoch FROM effective) * 1000000)::bigint);
$$;


CREATE FUNCTION ledger_link(previous bytea, seq bigint, recorded timestamptz, transfers int, content text)
RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    -- A link of the chain: SHA-256 over the link before it and everything of this batch.
    SELECT sha256(previous || convert_to(
        concat(seq, '|', (extract(epoch FROM recorded) * 1000000)::bigint, '|', transfers, E'\n', content),
        'UTF8'));
$$;


CREATE FUNCTION ledger_available(a ledger_account) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    -- What may leave the account: posted less held.
    SELECT CASE a.side
        WHEN 'credit' THEN a.credits_posted - a.debits_posted - a.debits_pending
        ELSE a.debits_posted - a.credits_posted - a.credits_pending
    END;
$$;


CREATE FUNCTION ledger_delta(pays boolean, phase text, amount bigint, held bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    -- What a transfer does to the available balance of one of its accounts: money leaves the side that
    -- pays at once, held or posted, and reaches the other side only when posted.
    SELECT CASE phase
        WHEN 'posted' THEN CASE WHEN pays THEN -amount ELSE amount END
        WHEN 'pending' THEN CASE WHEN pays THEN -amount ELSE 0 END
        WHEN 'post' THEN CASE WHEN pays THEN held - amount ELSE amount END
        ELSE CASE WHEN pays THEN held ELSE 0 END
    END;
$$;


CREATE FUNCTION ledger_classify(payload json) RETURNS ledger_leg[] LANGUAGE plpgsql STABLE AS $$
-- Every check that needs no order, in order of precedence. A hold is known once an earlier call made it.
BEGIN
    RETURN ARRAY(
        SELECT ROW(w.p, w.g, w.id, w.o, w.d, w.c, w.a, w.y, w.k, w.h, w.s, w.pe, w.r, w.e,
            hold.amount, w.contest,
            ledger_available(debit) - debit.floor,
            CASE WHEN debit.floor IS NOT NULL
                THEN ledger_delta(debit.side = 'credit', w.h, w.a, hold.amount) END,
            ledger_available(credit) - credit.floor,
            CASE WHEN credit.floor IS NOT NULL
                THEN ledger_delta(credit.side = 'debit', w.h, w.a, hold.amount) END,
            CASE
                WHEN known.id IS NOT NULL THEN CASE
                    WHEN (known.debit_id, known.credit_id, known.amount, known.currency, known.kind,
                            known.phase, known.subject_id, known.pending_id, known.reverses_id,
                            known.effective_at)
                        IS NOT DISTINCT FROM (w.d, w.c, w.a, w.y, w.k, w.h, w.s, w.pe, w.r, w.e)
                    THEN 'ledger.exists' ELSE 'ledger.id_reused' END
                WHEN w.nth_id > 1 THEN 'ledger.id_repeated'
                WHEN w.a IS NULL OR w.a <= 0 OR w.a > 9999999999999999 THEN 'ledger.amount_invalid'
                WHEN w.h IN ('posted', 'pending') AND w.pe IS NOT NULL THEN 'ledger.pending_mismatch'
                WHEN w.h IN ('post', 'void') AND hold.id IS NULL THEN 'ledger.pending_unknown'
                WHEN w.h IN ('post', 'void') AND done.id IS NOT NULL THEN 'ledger.pending_resolved'
                WHEN w.h = 'post' AND w.a > hold.amount THEN 'ledger.pending_exceeded'
                WHEN w.h = 'void' AND w.a <> hold.amount THEN 'ledger.pending_mismatch'
                WHEN w.h IN ('post', 'void') AND (w.d, w.c, w.y)
                    <> (hold.debit_id, hold.credit_id, hold.currency) THEN 'ledger.pending_mismatch'
                WHEN debit.id IS NULL OR credit.id IS NULL THEN 'ledger.account_unknown'
                WHEN debit.id = credit.id THEN 'ledger.same_account'
                WHEN debit.currency <> w.y OR credit.currency <> w.y THEN 'ledger.currency_mismatch'
                WHEN debit.closed_at IS NOT NULL OR credit.closed_at IS NOT NULL THEN 'ledger.account_closed'
            END)::ledger_leg
        FROM (
            SELECT i.*, row_number() OVER (PARTITION BY i.o, i.id ORDER BY i.p) AS nth_id,
                CASE WHEN i.pe IS NOT NULL AND count(*) OVER same_hold > 1
                    THEN min(i.p) OVER same_hold END AS contest
            FROM json_populate_recordset(NULL::ledger_input, payload) AS i
            WINDOW same_hold AS (PARTITION BY i.o, i.pe)
        ) AS w
        LEFT JOIN ledger_transfer known ON known.owner_id = w.o AND known.id = w.id
        LEFT JOIN LATERAL (
            SELECT t.* FROM ledger_transfer t
            WHERE w.pe IS NOT NULL AND t.owner_id = w.o AND t.id = w.pe AND t.phase = 'pending' LIMIT 1
        ) AS hold ON true
        LEFT JOIN LATERAL (
            SELECT t.id FROM ledger_transfer t
            WHERE w.pe IS NOT NULL AND t.owner_id = w.o AND t.pending_id = w.pe LIMIT 1
        ) AS done ON true
        LEFT JOIN ledger_account debit ON debit.id = w.d
        LEFT JOIN ledger_account credit ON credit.id = w.c
        ORDER BY w.p);
END;
$$;


CREATE FUNCTION ledger_tight(legs ledger_leg[], OUT accounts uuid[], OUT rooms bigint[])
LANGUAGE plpgsql STABLE AS $$
-- The accounts that this call could take under their floor if all that pays came before all that pays in.
BEGIN
    SELECT array_agg(worst.account), array_agg(worst.room) INTO accounts, rooms
    FROM (
        SELECT e.account, min(e.room) AS room
        FROM (
            SELECT x.d AS account, x.d_room AS room, x.d_delta AS delta
            FROM unnest(legs) AS x WHERE x.code IS NULL AND x.d_delta < 0
            UNION ALL
            SELECT x.c, x.c_room, x.c_delta FROM unnest(legs) AS x WHERE x.code IS NULL AND x.c_delta < 0
        ) AS e
        GROUP BY e.account
        HAVING min(e.room) + sum(e.delta) < 0
    ) AS worst;
END;
$$;


CREATE FUNCTION ledger_walk(legs ledger_leg[], tight uuid[], rooms bigint[])
RETURNS TABLE (posit int, code text) LANGUAGE plpgsql STABLE AS $$
-- The exact part: in posting order, the groups that hold a refused leg, a tight account or a contested
-- hold. Returns every refused leg. Groups not walked stand, whatever happens here.
DECLARE
    leg record;
    current int;                   -- the group being walked
    rooms_before bigint[];         -- what is undone when it falls
    resolved_before int[];
    resolved int[] := '{}';        -- the contested holds that a standing leg resolves
    under_floor int[] := '{}';     -- legs refused for their own sake
    too_late int[] := '{}';
    fallen int[] := '{}';          -- groups refused
    at_debit int;
    at_credit int;
BEGIN
    FOR leg IN
        SELECT y.* FROM (
            SELECT x.p, x.g, x.d, x.d_delta, x.c, x.c_delta, x.contest,
                bool_or(x.code IS NOT NULL) OVER whole_group AS refused,
                bool_or(x.d = ANY (tight) OR x.c = ANY (tight) OR x.contest IS NOT NULL)
                    OVER whole_group AS delicate
            FROM unnest(legs) AS x WINDOW whole_group AS (PARTITION BY x.g)
        ) AS y
        WHERE y.refused OR y.delicate ORDER BY y.p
    LOOP
        IF current IS DISTINCT FROM leg.g THEN
            current := leg.g;
            rooms_before := rooms;
            resolved_before := resolved;
            IF leg.refused THEN
                fallen := fallen || leg.g;
            END IF;
        END IF;
        CONTINUE WHEN leg.g = fallen[cardinality(fallen)];
        at_debit := array_position(tight, leg.d);
        at_credit := array_position(tight, leg.c);
        IF leg.contest = ANY (resolved) THEN
            too_late := too_late || leg.p;
        ELSIF leg.d_delta < 0 AND rooms[at_debit] + leg.d_delta < 0
            OR leg.c_delta < 0 AND rooms[at_credit] + leg.c_delta < 0 THEN
            under_floor := under_floor || leg.p;
        ELSE
            IF at_debit IS NOT NULL THEN
                rooms[at_debit] := rooms[at_debit] + leg.d_delta;
            END IF;
            IF at_credit IS NOT NULL THEN
                rooms[at_credit] := rooms[at_credit] + leg.c_delta;
            END IF;
            IF leg.contest IS NOT NULL THEN
                resolved := resolved || leg.contest;
            END IF;
            CONTINUE;
        END IF;
        fallen := fallen || leg.g;
        rooms := rooms_before;
        resolved := resolved_before;
    END LOOP;
    RETURN QUERY SELECT x.p, coalesce(x.code, CASE
            WHEN x.p = ANY (too_late) THEN 'ledger.pending_resolved'
            WHEN x.p = ANY (under_floor) THEN 'ledger.floor'
            ELSE 'ledger.linked' END)
        FROM unnest(legs) AS x WHERE x.g = ANY (fallen) ORDER BY x.p;
END;
$$;


CREATE FUNCTION ledger_apply(standing ledger_leg[], head ledger_book) RETURNS void LANGUAGE plpgsql
SET comptoir.posting = 'on' AS $$
-- After this point nothing may be refused: the transfers, the sums, the history, the chain's next link.
DECLARE
    batch bigint := head.seq + 1;
    -- Recorded time never runs backwards, whatever the clock of the machine does.
    recorded timestamptz := greatest(clock_timestamp(), head.recorded_at);
BEGIN
    WITH written AS (
        INSERT INTO ledger_transfer (owner_id, id, debit_id, credit_id, amount, currency, kind, phase,
            subject_id, pending_id, reverses_id, effective_at, batch_seq, position)
        SELECT x.o, x.id, x.d, x.c, x.a, x.y, x.k, x.h, x.s, x.pe, x.r, x.e, batch, x.p
        FROM unnest(standing) AS x
    ), change AS (
        SELECT leg.account, sum(leg.dp)::bigint AS dp, sum(leg.cp)::bigint AS cp,
            sum(leg.dh)::bigint AS dh, sum(leg.ch)::bigint AS ch
        FROM (
            SELECT x.d AS account, CASE WHEN x.h IN ('posted', 'post') THEN x.a ELSE 0 END AS dp, 0 AS cp,
                CASE WHEN x.h = 'pending' THEN x.a ELSE -coalesce(x.held, 0) END AS dh, 0 AS ch
            FROM unnest(standing) AS x
            UNION ALL
            SELECT x.c, 0, CASE WHEN x.h IN ('posted', 'post') THEN x.a ELSE 0 END, 0,
                CASE WHEN x.h = 'pending' THEN x.a ELSE -coalesce(x.held, 0) END
            FROM unnest(standing) AS x
        ) AS leg
        GROUP BY leg.account
    ), updated AS (
        UPDATE ledger_account a SET debits_posted = a.debits_posted + change.dp,
            credits_posted = a.credits_posted + change.cp,
            debits_pending = a.debits_pending + change.dh,
            credits_pending = a.credits_pending + change.ch
        FROM change WHERE a.id = change.account
        RETURNING a.id, a.debits_posted, a.credits_posted, a.debits_pending, a.credits_pending
    ), remembered AS (
        INSERT INTO ledger_balance (account_id, batch_seq, debits_posted, credits_posted, debits_pending,
            credits_pending)
        SELECT id, batch, debits_posted, credits_posted, debits_pending, credits_pending FROM updated
    ), sealed AS (
        INSERT INTO ledger_batch (seq, recorded_at, transfers, previous, hash)
        SELECT batch, recorded, count(*), head.hash, ledger_link(head.hash, batch, recorded, count(*)::int,
            string_agg(ledger_canonical(x.id, x.o, x.d, x.c, x.a, x.y, x.k, x.h, x.s, x.pe, x.r, x.e), E'\n'
                ORDER BY x.p))
        FROM unnest(standing) AS x
        RETURNING hash
    )
    UPDATE ledger_book SET seq = batch, hash = sealed.hash, recorded_at = recorded FROM sealed WHERE id = 1;
END;
$$;


-- The settings: every look-up here is by key, for hundreds of rows in tables of millions. A plan made while
-- the tables were small must not be one that reads them whole, nor be made again for every batch.
CREATE FUNCTION ledger_post(payload json) RETURNS TABLE (posit int, code text) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    head ledger_book;
    legs ledger_leg[];
    tight uuid[];
    rooms bigint[];
    refused int[];
    reasons text[];
BEGIN
    SELECT * INTO STRICT head FROM ledger_book WHERE id = 1 FOR UPDATE;
    legs := ledger_classify(payload);
    SELECT t.accounts, t.rooms INTO tight, rooms FROM ledger_tight(legs) AS t;
    IF tight IS NOT NULL
        OR EXISTS (SELECT FROM unnest(legs) AS x WHERE x.code IS NOT NULL OR x.contest IS NOT NULL) THEN
        SELECT array_agg(w.posit), array_agg(w.code) INTO refused, reasons
        FROM ledger_walk(legs, tight, rooms) AS w;
        legs := ARRAY(SELECT x FROM unnest(legs) AS x WHERE x.p <> ALL (refused) IS NOT FALSE ORDER BY x.p);
    END IF;
    IF cardinality(legs) > 0 THEN
        PERFORM ledger_apply(legs, head);
    END IF;
    RETURN QUERY SELECT r.posit, r.code FROM unnest(refused, reasons) AS r (posit, code);
END;
$$;


-- ------------------------------------------------------------------------------------------ the walls
-- They stop mistakes, not a superuser: whoever can switch triggers off is found out by `comptoir verify`.

CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the books are written by ledger_post alone: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END;
$$;

-- Recorded is recorded.
CREATE TRIGGER ledger_transfer_append_only BEFORE UPDATE OR DELETE ON ledger_transfer
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_batch_append_only BEFORE UPDATE OR DELETE ON ledger_batch
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_balance_append_only BEFORE UPDATE OR DELETE ON ledger_balance
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_account_no_delete BEFORE DELETE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_book_no_delete BEFORE DELETE ON ledger_book
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();

CREATE TRIGGER ledger_transfer_no_truncate BEFORE TRUNCATE ON ledger_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_batch_no_truncate BEFORE TRUNCATE ON ledger_batch
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_balance_no_truncate BEFORE TRUNCATE ON ledger_balance
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_account_no_truncate BEFORE TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_book_no_truncate BEFORE TRUNCATE ON ledger_book
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

-- Only a posting records, extends the chain or changes a sum. (The condition is written out each time: a
-- trigger's WHEN is prepared anew for every statement, and a function in it would be read and parsed there.)
CREATE TRIGGER ledger_transfer_by_posting BEFORE INSERT ON ledger_transfer
    FOR EACH STATEMENT WHEN (current_setting('comptoir.posting', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_batch_by_posting BEFORE INSERT ON ledger_batch
    FOR EACH STATEMENT WHEN (current_setting('comptoir.posting', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_balance_by_posting BEFORE INSERT ON ledger_balance
    FOR EACH STATEMENT WHEN (current_setting('comptoir.posting', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_book_by_posting BEFORE UPDATE ON ledger_book
    FOR EACH ROW WHEN (current_setting('comptoir.posting', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION ledger_refuse();

-- An account is opened empty; whose it is, its currency and its side never change; its sums by posting only.
CREATE TRIGGER ledger_account_opens_empty BEFORE INSERT ON ledger_account FOR EACH ROW
    WHEN ((NEW.debits_posted, NEW.credits_posted, NEW.debits_pending, NEW.credits_pending) <> (0, 0, 0, 0))
    EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_account_by_posting BEFORE UPDATE ON ledger_account FOR EACH ROW
    WHEN (
        (OLD.id, OLD.owner_id, OLD.role, OLD.currency, OLD.side)
            IS DISTINCT FROM (NEW.id, NEW.owner_id, NEW.role, NEW.currency, NEW.side)
        OR ((OLD.debits_posted, OLD.credits_posted, OLD.debits_pending, OLD.credits_pending)
            IS DISTINCT FROM (NEW.debits_posted, NEW.credits_posted, NEW.debits_pending, NEW.credits_pending)
            AND current_setting('comptoir.posting', true) IS DISTINCT FROM 'on')
    ) EXECUTE FUNCTION ledger_refuse();

INSERT INTO ledger_book (id, seq, hash, recorded_at)
VALUES (1, 0, sha256(convert_to('comptoir ledger book 1', 'UTF8')), 'epoch');
