-- What is known of a target besides who it is. max_events is NULL while it named no limits,
-- reset_fields is empty while no reset is noted.
ALTER TABLE targets ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE targets ADD COLUMN retry_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE targets ADD COLUMN probe_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE targets ADD COLUMN back_off_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE targets ADD COLUMN max_events BIGINT;
ALTER TABLE targets ADD COLUMN max_bytes BIGINT;
ALTER TABLE targets ADD COLUMN retry_least BIGINT;
ALTER TABLE targets ADD COLUMN retry_most BIGINT;
ALTER TABLE targets ADD COLUMN checked_at BIGINT;
ALTER TABLE targets ADD COLUMN reset_fields TEXT NOT NULL DEFAULT '';
ALTER TABLE targets ADD COLUMN reset_seen_at BIGINT;
ALTER TABLE targets ADD COLUMN previous_server_instance_id TEXT;
ALTER TABLE targets ADD COLUMN previous_deployment_id TEXT;
ALTER TABLE targets ADD COLUMN previous_environment_name TEXT;
ALTER TABLE targets ADD COLUMN previous_git_sha TEXT;
