-- depends_on: {{ ref('code_lists') }}
{{ staging_model('medical_aid') }}
