-- The tables of schema raw that do not come from a contract, as they were before they had a version: a home of that
-- time may hold any of them.
create table if not exists raw.deliveries (
    delivery_id varchar primary key, source_id varchar not null, file_name varchar not null, sha256 varchar not null,
    delivered_on date not null, kind varchar not null, encoding varchar, rows_read bigint not null,
    rows_loaded bigint not null, rows_rejected bigint not null, status varchar not null, reason varchar,
    received_at timestamp not null, sequence integer not null, contract_fingerprint varchar, run_id varchar
);
create table if not exists raw.delivery_events (
    delivery_id varchar not null, status varchar not null, decided_by varchar, reason varchar,
    decided_at timestamp not null
);
create table if not exists raw.rejects (
    delivery_id varchar not null, source_id varchar not null, line_number bigint not null,
    reason_code varchar not null, column_name varchar, record varchar, record_bytes blob
);
create table if not exists raw.value_issues (
    delivery_id varchar, source_id varchar, line_number bigint, column_name varchar, issue_code varchar
);
create table if not exists raw.unknown_headings (delivery_id varchar, source_id varchar, heading varchar);
create table if not exists raw.gaiji (
    delivery_id varchar, source_id varchar, line_number bigint, column_name varchar, codepoint varchar
);
create table if not exists raw.quality_results (
    run_id varchar, layer varchar, table_name varchar, expectation varchar, severity varchar, status varchar,
    unexpected_count bigint, element_count bigint, checked_at timestamp
);
create table if not exists raw.retention_deletions (
    deleted_at timestamp not null, deleted_by varchar not null, delivery_id varchar not null,
    source_id varchar not null, what varchar not null, column_name varchar, item_count bigint not null,
    kept_from date not null, kept_until date not null, retention_months integer not null
);
create table if not exists raw.person_deletions (
    request_id varchar not null, source_id varchar not null, delivery_id varchar not null,
    line_number bigint not null, run_id varchar not null, deleted_at timestamp not null
);
create table if not exists raw.decisions (
    decision_id varchar, person_id varchar, meeting_on date, decided_on date, decision varchar,
    agrees_with_tier boolean, disagreement_reason varchar, support_content varchar, lead_agency varchar,
    review_on date, decided_by varchar, entered_at timestamp
);
create table if not exists raw.supports (
    support_id varchar, decision_id varchar, person_id varchar, started_on date, ended_on date,
    support_content varchar, lead_agency varchar, outcome varchar, entered_by varchar, entered_at timestamp
);
create table if not exists raw.link_reviews (
    decided_at timestamp, decided_by varchar, source_id varchar, source_key varchar, decision varchar,
    person_id varchar, reason varchar
);
create table if not exists raw.code_decisions (code_list varchar, spelling varchar, code varchar);
create table if not exists raw.risk_runs (
    run_id varchar, as_of_on date, built_at timestamp, definition_hash varchar
);
create table if not exists raw.risk_run_deliveries (run_id varchar, delivery_id varchar);
create table if not exists raw.risk_evaluations (as_of_on date, definition_hash varchar, evaluated_at timestamp);
