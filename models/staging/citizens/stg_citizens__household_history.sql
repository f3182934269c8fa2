-- depends_on: {{ ref('code_lists') }}
{{ staging_model('household_history') }}
