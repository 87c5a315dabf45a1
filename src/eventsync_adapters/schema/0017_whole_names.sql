-- How names of bodies of the project begin whose content may be erased in this unit of work.
ALTER TABLE purging ADD COLUMN bodies TEXT NOT NULL DEFAULT '';
