-- The as-of date of what lay before the person who entered a decision: changes since then count.
alter table raw.decisions add column if not exists as_of_then date;
