-- depends_on: {{ ref('code_lists') }}
{{ staging_model('after_school_club') }}
