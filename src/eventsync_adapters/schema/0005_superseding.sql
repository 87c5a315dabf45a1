-- Events that stand for earlier ones with their key. The links stand in the engine's own file.

-- Senders of a stream are looked up whenever an event with a key is captured.
CREATE INDEX leases_by_stream ON leases (stream_id, target_no);
