-- depends_on: {{ ref('code_lists') }}
{{ staging_model('childcare_support_uses') }}
