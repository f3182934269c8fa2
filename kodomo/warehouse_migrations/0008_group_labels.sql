-- dbt fills a seed that is there already without adding columns to it.
alter table if exists seeds.risk_groups add column if not exists label_ja varchar;
