-- The one way into the books.
--
-- ledger_post(payload) posts an array of transfers in order and says, for each one refused, why.
-- It is set-based: one pass classifies every transfer, one statement writes all that stand. Only
-- where a floored account could be emptied by this call are its transfers walked one by one, in
-- order, so the answer is exactly that of posting them singly. A refusal touches nobody else's.
--
-- Payload members: p position, g linked group, id, o owner, d debit account, c credit account,
-- a amount (minor units), y currency, k kind, h phase, s subject, pe pending, r reverses, e effective.

CREATE TYPE ledger_input AS (
    p int, g int, id uuid, o uuid, d uuid, c uuid, a bigint, y text, k text, h text,
    s uuid, pe uuid, r uuid, e timestamptz
);

-- A transfer with what was found out about it: `held` is the amount of the hold it resolves.
CREATE TYPE ledger_checked AS (input ledger_input, held bigint, code text);

-- What a transfer does to the available balance of its two accounts.
CREATE TYPE ledger_effect AS (p int, g int, account uuid, delta bigint);


CREATE FUNCTION ledger_lock() RETURNS bigint LANGUAGE sql AS $$
    -- One writer at a time: taken first by everybody who posts, so account locks cannot deadlock.
    SELECT seq FROM ledger_book WHERE id = 1 FOR UPDATE;
$$;


CREATE FUNCTION ledger_canonical(
    id uuid, owner uuid, debit uuid, credit uuid, amount bigint, currency text, kind text, phase text,
    subject uuid, pending uuid, reverses uuid, effective timestamptz
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- The text of a transfer that goes into the hash: every column, in this order.
    SELECT id || '|' || owner || '|' || debit || '|' || credit || '|' || amount || '|' || currency || '|'
        || kind || '|' || phase || '|' || subject || '|' || coalesce(pending::text, '') || '|'
        || coalesce(reverses::text, '') || '|'
        || coalesce((extract(epoch FROM effective) * 1000000)::bigint::text, '');
$$;


CREATE FUNCTION ledger_link(previous bytea, seq bigint, recorded timestamptz, transfers int, content text)
RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- A link of the chain: SHA-256 over the link before it and everything of this batch.
    SELECT sha256(previous || convert_to(
        seq || '|' || (extract(epoch FROM recorded) * 1000000)::bigint || '|' || transfers || E'\n' || content,
        'UTF8'));
$$;


CREATE FUNCTION ledger_classify(input ledger_input[]) RETURNS ledger_checked[] LANGUAGE sql STABLE AS $$
    -- Every check that needs no order, in order of precedence; a hold's accounts fill in its POST or VOID.
    WITH wanted AS (
        SELECT i.*, row_number() OVER (PARTITION BY i.id ORDER BY i.p) AS nth_id,
            row_number() OVER (PARTITION BY coalesce(i.pe, i.id) ORDER BY i.p) AS nth_resolution
        FROM unnest(input) AS i
    ), found AS (
        SELECT w.*, hold.id AS hold_id, hold.amount AS held,
            hold.debit_id AS hold_debit, hold.credit_id AS hold_credit, hold.currency AS hold_currency,
            known.id AS known_id,
            known.debit_id = coalesce(w.d, hold.debit_id) AND known.credit_id = coalesce(w.c, hold.credit_id)
                AND known.amount = w.a AND known.currency = w.y AND known.kind = w.k AND known.phase = w.h
                AND known.subject_id = w.s AND known.pending_id IS NOT DISTINCT FROM w.pe AS known_same,
            EXISTS (SELECT FROM ledger_transfer done WHERE w.pe IS NOT NULL
                AND done.owner_id = w.o AND done.pending_id = w.pe) AS resolved
        FROM wanted w
        LEFT JOIN ledger_transfer hold ON hold.owner_id = w.o AND hold.id = w.pe AND hold.phase = 'pending'
        LEFT JOIN ledger_transfer known ON known.owner_id = w.o AND known.id = w.id
    )
    SELECT array_agg(ROW(
        ROW(f.p, f.g, f.id, f.o, coalesce(f.d, f.hold_debit), coalesce(f.c, f.hold_credit),
            f.a, f.y, f.k, f.h, f.s, f.pe, f.r, f.e)::ledger_input,
        f.held,
        CASE
            WHEN f.known_id IS NOT NULL AND f.known_same THEN 'ledger.exists'
            WHEN f.known_id IS NOT NULL THEN 'ledger.id_reused'
            WHEN f.nth_id > 1 THEN 'ledger.id_repeated'
            WHEN f.a IS NULL OR f.a <= 0 OR f.a > 9999999999999999 THEN 'ledger.amount_invalid'
            WHEN f.h IN ('post', 'void') AND f.hold_id IS NULL THEN 'ledger.pending_unknown'
            WHEN f.h IN ('post', 'void') AND (f.resolved OR f.nth_resolution > 1) THEN 'ledger.pending_resolved'
            WHEN f.h = 'post' AND f.a > f.held THEN 'ledger.pending_exceeded'
            WHEN f.h = 'void' AND f.a <> f.held THEN 'ledger.pending_mismatch'
            WHEN f.h IN ('post', 'void') AND (f.y <> f.hold_currency OR f.d <> f.hold_debit
                OR f.c <> f.hold_credit) THEN 'ledger.pending_mismatch'
            WHEN debit.id IS NULL OR credit.id IS NULL THEN 'ledger.account_unknown'
            WHEN debit.id = credit.id THEN 'ledger.same_account'
            WHEN debit.currency <> f.y OR credit.currency <> f.y THEN 'ledger.currency_mismatch'
            WHEN debit.closed_at IS NOT NULL OR credit.closed_at IS NOT NULL THEN 'ledger.account_closed'
        END
    )::ledger_checked ORDER BY f.p)
    FROM found f
    LEFT JOIN ledger_account debit ON debit.id = coalesce(f.d, f.hold_debit)
    LEFT JOIN ledger_account credit ON credit.id = coalesce(f.c, f.hold_credit);
$$;


CREATE FUNCTION ledger_spread_refusals(checked ledger_checked[]) RETURNS ledger_checked[]
LANGUAGE sql STABLE AS $$
    -- A group stands or falls whole: whoever is linked to a refused transfer is refused with it.
    SELECT array_agg(ROW(c.input, c.held,
        coalesce(c.code, CASE WHEN c.fallen THEN 'ledger.linked' END))::ledger_checked ORDER BY (c.input).p)
    FROM (
        SELECT x.input, x.held, x.code, bool_or(x.code IS NOT NULL) OVER (PARTITION BY (x.input).g) AS fallen
        FROM unnest(checked) AS x
    ) AS c;
$$;


CREATE FUNCTION ledger_effects(checked ledger_checked[]) RETURNS SETOF ledger_effect
LANGUAGE sql STABLE AS $$
    -- Posted and held money leaves the paying side at once and reaches the other side only when posted.
    SELECT (x.input).p, (x.input).g, a.id,
        CASE (x.input).h
            WHEN 'posted' THEN CASE WHEN pays THEN -(x.input).a ELSE (x.input).a END
            WHEN 'pending' THEN CASE WHEN pays THEN -(x.input).a ELSE 0 END
            WHEN 'post' THEN CASE WHEN pays THEN x.held - (x.input).a ELSE (x.input).a END
            ELSE CASE WHEN pays THEN x.held ELSE 0 END
        END
    FROM unnest(checked) AS x
    JOIN ledger_account a ON a.id IN ((x.input).d, (x.input).c) AND a.floor IS NOT NULL
    CROSS JOIN LATERAL (SELECT (a.id = (x.input).d) = (a.side = 'credit') AS pays) AS direction
    WHERE x.code IS NULL;
$$;


CREATE FUNCTION ledger_available(a ledger_account) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE a.side
        WHEN 'credit' THEN a.credits_posted - a.debits_posted - a.debits_pending
        ELSE a.debits_posted - a.credits_posted - a.credits_pending
    END;
$$;


CREATE FUNCTION ledger_walk(checked ledger_checked[], tight uuid[]) RETURNS int[] LANGUAGE plpgsql STABLE AS $$
-- The exact part: the positions that would take a tight account under its floor, in posting order.
DECLARE
    room jsonb := '{}';          -- account -> what may still leave it
    before jsonb;                -- `room` as it was before the current group
    refused int[] := '{}';
    current int;                 -- the group being walked
    fallen boolean := false;     -- whether the current group was refused
    effect ledger_effect;
    rest bigint;
BEGIN
    SELECT jsonb_object_agg(a.id::text, ledger_available(a) - a.floor) INTO room
    FROM ledger_account a WHERE a.id = ANY (tight);
    FOR effect IN
        SELECT e.* FROM ledger_effects(checked) e WHERE e.account = ANY (tight) ORDER BY e.p, e.delta
    LOOP
        IF current IS DISTINCT FROM effect.g THEN
            current := effect.g;
            before := room;
            fallen := false;
        END IF;
        CONTINUE WHEN fallen;
        rest := (room ->> effect.account::text)::bigint + effect.delta;
        IF rest < 0 AND effect.delta < 0 THEN
            refused := refused || effect.p;
            room := before;
            fallen := true;
        ELSE
            room := jsonb_set(room, ARRAY[effect.account::text], to_jsonb(rest));
        END IF;
    END LOOP;
    RETURN refused;
END;
$$;


CREATE FUNCTION ledger_apply(checked ledger_checked[], batch bigint) RETURNS void LANGUAGE sql AS $$
    -- After this point nothing may be refused: the transfers, the sums, the history.
    WITH standing AS (
        SELECT (x.input).*, x.held FROM unnest(checked) AS x WHERE x.code IS NULL
    ), written AS (
        INSERT INTO ledger_transfer (owner_id, id, debit_id, credit_id, amount, currency, kind, phase,
            subject_id, pending_id, reverses_id, effective_at, batch_seq, position)
        SELECT o, id, d, c, a, y, k, h, s, pe, r, e, batch, p FROM standing
    ), change AS (
        SELECT account, sum(dp)::bigint AS dp, sum(cp)::bigint AS cp, sum(dh)::bigint AS dh, sum(ch)::bigint AS ch
        FROM (
            SELECT d AS account, CASE WHEN h IN ('posted', 'post') THEN a ELSE 0 END AS dp, 0 AS cp,
                CASE WHEN h = 'pending' THEN a ELSE -coalesce(held, 0) END AS dh, 0 AS ch FROM standing
            UNION ALL
            SELECT c, 0, CASE WHEN h IN ('posted', 'post') THEN a ELSE 0 END, 0,
                CASE WHEN h = 'pending' THEN a ELSE -coalesce(held, 0) END FROM standing
        ) AS legs
        GROUP BY account
    ), updated AS (
        UPDATE ledger_account a SET debits_posted = a.debits_posted + change.dp,
            credits_posted = a.credits_posted + change.cp,
            debits_pending = a.debits_pending + change.dh,
            credits_pending = a.credits_pending + change.ch
        FROM change WHERE a.id = change.account
        RETURNING a.id, a.debits_posted, a.credits_posted, a.debits_pending, a.credits_pending
    )
    INSERT INTO ledger_balance (account_id, batch_seq, debits_posted, credits_posted, debits_pending, credits_pending)
    SELECT id, batch, debits_posted, credits_posted, debits_pending, credits_pending FROM updated;
$$;


CREATE FUNCTION ledger_seal(checked ledger_checked[], batch bigint, previous bytea, recorded timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
-- Extend the chain by what was just written.
DECLARE
    link bytea;
    standing int;
BEGIN
    SELECT count(*), ledger_link(previous, batch, recorded, count(*)::int, coalesce(string_agg(ledger_canonical(
            (x.input).id, (x.input).o, (x.input).d, (x.input).c, (x.input).a, (x.input).y, (x.input).k,
            (x.input).h, (x.input).s, (x.input).pe, (x.input).r, (x.input).e), E'\n' ORDER BY (x.input).p), ''))
    INTO standing, link FROM unnest(checked) AS x WHERE x.code IS NULL;
    INSERT INTO ledger_batch (seq, recorded_at, transfers, previous, hash)
    VALUES (batch, recorded, standing, previous, link);
    UPDATE ledger_book SET seq = batch, hash = link, recorded_at = recorded WHERE id = 1;
END;
$$;


CREATE FUNCTION ledger_post(payload jsonb) RETURNS TABLE (posit int, code text) LANGUAGE plpgsql AS $$
DECLARE
    head ledger_book;
    checked ledger_checked[];
    tight uuid[];
    refused int[];
    recorded timestamptz;
BEGIN
    SELECT * INTO STRICT head FROM ledger_book WHERE id = 1 FOR UPDATE;
    checked := ledger_spread_refusals(ledger_classify(ARRAY(
        SELECT i FROM jsonb_populate_recordset(NULL::ledger_input, payload) AS i)));

    -- Only accounts that the worst order of this call could take under their floor need the walk.
    SELECT array_agg(worst.account) INTO tight FROM (
        SELECT e.account, sum(least(e.delta, 0)) AS leaving FROM ledger_effects(checked) e GROUP BY e.account
    ) AS worst
    JOIN ledger_account a ON a.id = worst.account
    WHERE worst.leaving < 0 AND ledger_available(a) + worst.leaving < a.floor;
    IF tight IS NOT NULL THEN
        refused := ledger_walk(checked, tight);
        IF cardinality(refused) > 0 THEN
            checked := ledger_spread_refusals(ARRAY(
                SELECT ROW(x.input, x.held, CASE WHEN (x.input).p = ANY (refused) THEN 'ledger.floor' ELSE x.code END
                    )::ledger_checked FROM unnest(checked) AS x));
        END IF;
    END IF;

    IF EXISTS (SELECT FROM unnest(checked) AS x WHERE x.code IS NULL) THEN
        -- Recorded time never runs backwards, whatever the clock of the machine does.
        recorded := greatest(clock_timestamp(), head.recorded_at);
        PERFORM set_config('comptoir.posting', 'on', true);
        PERFORM ledger_apply(checked, head.seq + 1);
        PERFORM set_config('comptoir.posting', 'off', true);
        PERFORM ledger_seal(checked, head.seq + 1, head.hash, recorded);
    END IF;
    RETURN QUERY SELECT (x.input).p, x.code FROM unnest(checked) AS x WHERE x.code IS NOT NULL ORDER BY 1;
END;
$$;


CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the books are append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END;
$$;

CREATE TRIGGER ledger_transfer_append_only BEFORE UPDATE OR DELETE ON ledger_transfer
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_transfer_no_truncate BEFORE TRUNCATE ON ledger_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_batch_append_only BEFORE UPDATE OR DELETE ON ledger_batch
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_batch_no_truncate BEFORE TRUNCATE ON ledger_batch
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_balance_append_only BEFORE UPDATE OR DELETE ON ledger_balance
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_balance_no_truncate BEFORE TRUNCATE ON ledger_balance
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_account_no_delete BEFORE DELETE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_account_no_truncate BEFORE TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
-- Sums change only through a posting; who an account belongs to never changes.
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
