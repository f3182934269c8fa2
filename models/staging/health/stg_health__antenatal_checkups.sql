-- depends_on: {{ ref('code_lists') }}
{{ staging_model('antenatal_checkups') }}
