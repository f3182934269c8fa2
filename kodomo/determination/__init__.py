"""One child, household or family now, by the SQL of the batch."""
