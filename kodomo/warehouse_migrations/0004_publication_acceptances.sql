-- What an operator has accepted to be missing from the next publication, for what was in service then.
create table raw.publication_acceptances (
    in_service varchar not null, grouped_by varchar not null, group_name varchar not null,
    people_count bigint not null, missing_count bigint not null, accepted_by varchar not null,
    reason varchar not null, accepted_at timestamp not null
);
