"""Operations of a home: backup, serving, diagnosis, notification."""
