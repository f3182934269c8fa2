-- depends_on: {{ ref('code_lists') }}
{{ staging_model('education_support_centre') }}
