-- depends_on: {{ ref('code_lists') }}
{{ staging_model('postnatal_care') }}
