BEGIN TRANSACTION;
CREATE TABLE accounts (
	name VARCHAR(64) NOT NULL, 
	password_hash VARCHAR(255) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	user_id VARCHAR(128), 
	language VARCHAR(8) NOT NULL, 
	created_at BIGINT NOT NULL, 
	disabled_at BIGINT, 
	CONSTRAINT pk_accounts PRIMARY KEY (name), 
	CONSTRAINT uq_accounts_user_id UNIQUE (user_id)
);
INSERT INTO "accounts" VALUES('mai','$argon2id$x','admin','an','vi',1795320000000,NULL);
CREATE TABLE agent_endpoints (
	endpoint VARCHAR(128) NOT NULL, 
	user_id VARCHAR(128) NOT NULL, 
	position INTEGER NOT NULL, 
	CONSTRAINT pk_agent_endpoints PRIMARY KEY (endpoint), 
	CONSTRAINT fk_agent_endpoints_user_id FOREIGN KEY(user_id) REFERENCES agents (user_id) ON DELETE CASCADE
);
INSERT INTO "agent_endpoints" VALUES('PJSIP/1001','an',0);
CREATE TABLE agent_periods (
	user_id VARCHAR(128) NOT NULL, 
	began_at BIGINT NOT NULL, 
	doing VARCHAR(16) NOT NULL, 
	reason VARCHAR(128) DEFAULT '' NOT NULL, 
	ended_at BIGINT, 
	estimated BOOLEAN DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_agent_periods PRIMARY KEY (user_id, began_at)
)
 WITHOUT ROWID

;
INSERT INTO "agent_periods" VALUES('an',1795326000000,'available','',NULL,0);
INSERT INTO "agent_periods" VALUES('an',1795320000000,'available','',1795323600000,0);
INSERT INTO "agent_periods" VALUES('an',1795323600000,'paused','lunch',1795325400000,1);
CREATE TABLE agents (
	user_id VARCHAR(128) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	ringtone VARCHAR(64), 
	phone_brand VARCHAR(32), 
	personal_number VARCHAR(32), 
	CONSTRAINT pk_agents PRIMARY KEY (user_id), 
	CONSTRAINT uq_agents_personal_number UNIQUE (personal_number)
);
INSERT INTO "agents" VALUES('an','Nguyễn Văn An','marimba','yealink','+84903000111');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0012');
CREATE TABLE audit_log (
	audit_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at BIGINT NOT NULL, 
	"by" VARCHAR(128) NOT NULL, 
	action VARCHAR(64) NOT NULL, 
	object VARCHAR(255) NOT NULL, 
	old TEXT, 
	new TEXT, 
	remote VARCHAR(64)
);
INSERT INTO "audit_log" VALUES(1,1795320000000,'mai','agent.change','agent:an','{"name": "An"}','{"name": "Nguyễn Văn An"}','10.0.0.9');
CREATE TABLE call_agents (
	user_id VARCHAR(128) NOT NULL, 
	started_at BIGINT NOT NULL, 
	pbx VARCHAR(64) NOT NULL, 
	call_id VARCHAR(150) NOT NULL, 
	CONSTRAINT pk_call_agents PRIMARY KEY (user_id, started_at, pbx, call_id)
)
 WITHOUT ROWID

;
INSERT INTO "call_agents" VALUES('an',1795320000000,'main','1795320000.1');
INSERT INTO "call_agents" VALUES('an',1795320200000,'main','1795320000.3');
INSERT INTO "call_agents" VALUES('an',1795330100000,'main','1795330100.1');
CREATE TABLE call_moments (
	pbx VARCHAR(64) NOT NULL, 
	call_id VARCHAR(150) NOT NULL, 
	at BIGINT NOT NULL, 
	what VARCHAR(16) NOT NULL, 
	user_id VARCHAR(128) DEFAULT '' NOT NULL, 
	about VARCHAR(150) DEFAULT '' NOT NULL, 
	until BIGINT, 
	CONSTRAINT pk_call_moments PRIMARY KEY (pbx, call_id, at, what, user_id, about)
)
 WITHOUT ROWID

;
INSERT INTO "call_moments" VALUES('main','1795330100.1',1795330102000,'rang','an','PJSIP/1001',1795330110000);
CREATE TABLE calls (
	pbx VARCHAR(64) NOT NULL, 
	call_id VARCHAR(150) NOT NULL, 
	direction VARCHAR(16) NOT NULL, 
	customer_number VARCHAR(64), 
	customer_number_raw VARCHAR(255), 
	customer_name VARCHAR(255), 
	hotline VARCHAR(64), 
	queue VARCHAR(128), 
	user_id VARCHAR(128), 
	user_ids TEXT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	outcome VARCHAR(16), 
	missed_reason VARCHAR(32), 
	started_at BIGINT NOT NULL, 
	queued_at BIGINT, 
	answered_at BIGINT, 
	ended_at BIGINT, 
	ended_by VARCHAR(16), 
	hangup_cause INTEGER, 
	customer_dialled BOOLEAN NOT NULL, hangup_reason VARCHAR(32), lost_channel VARCHAR(150), lost_side VARCHAR(16), lost_since BIGINT, lost_packets BIGINT, caught_up BOOLEAN DEFAULT '0' NOT NULL, rung_at BIGINT, 
	CONSTRAINT pk_calls PRIMARY KEY (pbx, call_id)
)
 WITHOUT ROWID

;
INSERT INTO "calls" VALUES('main','1795320000.1','incoming','+84901701234','0901701234','Trần Thị Hoa','19001234','hỗ trợ','an','["an"]','ended','answered',NULL,1795320000000,1795320000100,1795320005000,1795320060000,'customer',16,0,'connection_lost','PJSIP/1001-00000001','agent',1795320050000,418,0,NULL);
INSERT INTO "calls" VALUES('main','1795320000.2','incoming','+84901701234','0901701234',NULL,'19001234',NULL,NULL,'[]','ended','missed','abandoned',1795320100000,NULL,NULL,1795320130000,'customer',16,0,NULL,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "calls" VALUES('main','1795320000.3','outgoing',NULL,NULL,NULL,NULL,NULL,NULL,'["an"]','ringing',NULL,NULL,1795320200000,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "calls" VALUES('main','1795330000.9','incoming','+84901000009',NULL,NULL,NULL,NULL,NULL,'[]','ended','missed','abandoned',1795330000000,NULL,NULL,1795330020000,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,1,NULL);
INSERT INTO "calls" VALUES('main','1795330100.1','incoming','+84901000010',NULL,NULL,NULL,NULL,'an','["an"]','ended','answered',NULL,1795330100000,NULL,1795330110000,1795330150000,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,0,1795330102000);
CREATE TABLE deliveries (
	delivery_id VARCHAR(64) NOT NULL, 
	effect_key VARCHAR(400) NOT NULL, 
	webhook_id VARCHAR(40) DEFAULT '' NOT NULL, 
	event_type VARCHAR(40) NOT NULL, 
	method VARCHAR(8) NOT NULL, 
	url TEXT NOT NULL, 
	body TEXT NOT NULL, 
	pbx VARCHAR(64), 
	call_id VARCHAR(150), 
	ticket_id INTEGER, 
	user_id VARCHAR(128), 
	status VARCHAR(16) NOT NULL, 
	attempt_count INTEGER DEFAULT '0' NOT NULL, 
	next_attempt_at BIGINT, 
	expires_at BIGINT NOT NULL, 
	created_at BIGINT NOT NULL, 
	finished_at BIGINT, 
	last_status_code INTEGER, 
	last_error VARCHAR(255), 
	CONSTRAINT pk_deliveries PRIMARY KEY (delivery_id)
);
INSERT INTO "deliveries" VALUES('msg_1','call.missed:main:1795320000.2:','wh_1','call.missed','POST','https://crm.example/hook','{"type":"call.missed"}','main','1795320000.2',2,NULL,'pending',1,1795320140000,1795406530000,1795320130000,NULL,NULL,NULL);
CREATE TABLE delivery_attempts (
	delivery_id VARCHAR(64) NOT NULL, 
	number INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	status_code INTEGER, 
	latency_ms INTEGER NOT NULL, 
	error VARCHAR(255), 
	answer TEXT, 
	CONSTRAINT pk_delivery_attempts PRIMARY KEY (delivery_id, number), 
	CONSTRAINT fk_delivery_attempts_delivery_id FOREIGN KEY(delivery_id) REFERENCES deliveries (delivery_id)
)
 WITHOUT ROWID

;
INSERT INTO "delivery_attempts" VALUES('msg_1',1,1795320130000,503,12,NULL,'bảo trì');
CREATE TABLE hotlines (
	number VARCHAR(64) NOT NULL, 
	label VARCHAR(255) DEFAULT '' NOT NULL, 
	ringtone VARCHAR(64), 
	CONSTRAINT pk_hotlines PRIMARY KEY (number)
);
INSERT INTO "hotlines" VALUES('19001234','Chăm sóc',NULL);
CREATE TABLE queues (
	name VARCHAR(128) NOT NULL, 
	create_tickets BOOLEAN NOT NULL, 
	ringtone VARCHAR(64), sla_target_percent INTEGER, sla_answer_within_seconds INTEGER, 
	CONSTRAINT pk_queues PRIMARY KEY (name)
);
INSERT INTO "queues" VALUES('hỗ trợ',0,NULL,NULL,NULL);
INSERT INTO "queues" VALUES('vip',1,'harp',95,10);
CREATE TABLE ringtones (
	name VARCHAR(64) NOT NULL, 
	label VARCHAR(255) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	duration_ms INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	created_by VARCHAR(128) NOT NULL, 
	wide BLOB NOT NULL, 
	narrow BLOB NOT NULL, 
	CONSTRAINT pk_ringtones PRIMARY KEY (name)
);
INSERT INTO "ringtones" VALUES('sea','Biển','dd',900,1,'mai',X'52494646',X'52494647');
CREATE TABLE screen_pops (
	pbx VARCHAR(64) NOT NULL, 
	call_id VARCHAR(150) NOT NULL, 
	user_id VARCHAR(128) NOT NULL, 
	url TEXT NOT NULL, 
	time_answer BIGINT NOT NULL, 
	to_desk BOOLEAN NOT NULL, 
	at BIGINT NOT NULL, opened_at BIGINT, opened_by VARCHAR(64), blocked_at BIGINT, 
	CONSTRAINT pk_screen_pops PRIMARY KEY (pbx, call_id, user_id)
)
 WITHOUT ROWID

;
INSERT INTO "screen_pops" VALUES('main','1795320000.1','an','https://crm.example/?customerNumber=84901701234',1795320005000,1,1795320005000,NULL,NULL,NULL);
CREATE TABLE sessions (
	digest VARCHAR(64) NOT NULL, 
	account VARCHAR(64) NOT NULL, 
	created_at BIGINT NOT NULL, 
	last_seen_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	user_agent VARCHAR(255) DEFAULT '' NOT NULL, 
	remote VARCHAR(64) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_sessions PRIMARY KEY (digest), 
	CONSTRAINT fk_sessions_account FOREIGN KEY(account) REFERENCES accounts (name) ON DELETE CASCADE
);
INSERT INTO "sessions" VALUES('s1','mai',1,1,2,'Firefox','10.0.0.9');
CREATE TABLE settings (
	"key" VARCHAR(128) NOT NULL, 
	value TEXT NOT NULL, 
	changed_at BIGINT NOT NULL, 
	changed_by VARCHAR(128), 
	CONSTRAINT pk_settings PRIMARY KEY ("key")
);
INSERT INTO "settings" VALUES('missed_call_merge','"none"',1795320000000,'mai');
INSERT INTO "settings" VALUES('popup_secret','"whsec_b2xk"',1795320000000,NULL);
INSERT INTO "settings" VALUES('sla_short_abandon_seconds','3',1795330000000,'mai');
CREATE TABLE setup_links (
	digest VARCHAR(64) NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	CONSTRAINT pk_setup_links PRIMARY KEY (digest)
);
CREATE TABLE summaries (
	target_id VARCHAR(40) NOT NULL, 
	day VARCHAR(10) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	attempted_at BIGINT, 
	next_attempt_at BIGINT, 
	finished_at BIGINT, 
	reason VARCHAR(32), 
	said VARCHAR(255), 
	CONSTRAINT pk_summaries PRIMARY KEY (target_id, day), 
	CONSTRAINT fk_summaries_target_id FOREIGN KEY(target_id) REFERENCES summary_targets (target_id) ON DELETE CASCADE
);
INSERT INTO "summaries" VALUES('sum_0123456789abcdef','2026-11-21','sent',1,1795320000000,NULL,1795320001000,NULL,NULL);
CREATE TABLE summary_targets (
	target_id VARCHAR(40) NOT NULL, 
	url TEXT NOT NULL, 
	label VARCHAR(255) NOT NULL, 
	language VARCHAR(8) NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_summary_targets PRIMARY KEY (target_id)
);
INSERT INTO "summary_targets" VALUES('sum_0123456789abcdef','mailtos://mai:secret@example.com?to=boss@example.com','Ban giám đốc','vi',1795320000000);
CREATE TABLE ticket_calls (
	pbx VARCHAR(64) NOT NULL, 
	call_id VARCHAR(150) NOT NULL, 
	ticket_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	CONSTRAINT pk_ticket_calls PRIMARY KEY (pbx, call_id), 
	CONSTRAINT fk_ticket_calls_pbx_call_id FOREIGN KEY(pbx, call_id) REFERENCES calls (pbx, call_id), 
	CONSTRAINT fk_ticket_calls_ticket_id FOREIGN KEY(ticket_id) REFERENCES tickets (ticket_id)
)
 WITHOUT ROWID

;
INSERT INTO "ticket_calls" VALUES('main','1795320000.1',1,0);
INSERT INTO "ticket_calls" VALUES('main','1795320000.2',2,0);
INSERT INTO "ticket_calls" VALUES('main','1795330000.9',90,0);
CREATE TABLE ticket_events (
	ticket_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	what VARCHAR(16) NOT NULL, 
	at BIGINT NOT NULL, 
	"by" VARCHAR(128), 
	reason VARCHAR(64), 
	old TEXT NOT NULL, 
	new TEXT NOT NULL, call_back_seconds INTEGER, 
	CONSTRAINT pk_ticket_events PRIMARY KEY (ticket_id, version, what), 
	CONSTRAINT fk_ticket_events_ticket_id FOREIGN KEY(ticket_id) REFERENCES tickets (ticket_id)
)
 WITHOUT ROWID

;
INSERT INTO "ticket_events" VALUES(2,2,'status',1795320300000,NULL,'called_back','"open"','"closed"',NULL);
CREATE TABLE tickets (
	ticket_id INTEGER NOT NULL, 
	merge_key VARCHAR(400) NOT NULL, 
	kind VARCHAR(24) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	customer_number VARCHAR(64), 
	hotline VARCHAR(64), 
	queue VARCHAR(128), 
	assignee VARCHAR(128), 
	note TEXT DEFAULT '' NOT NULL, 
	missed_count INTEGER NOT NULL, 
	reason VARCHAR(64) NOT NULL, 
	opened_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	closed_at BIGINT, 
	closed_reason VARCHAR(64), 
	version INTEGER DEFAULT '1' NOT NULL, tags TEXT DEFAULT '[]' NOT NULL, waiting_since BIGINT, reached_at BIGINT, call_back_seconds INTEGER, caught_up BOOLEAN DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_tickets PRIMARY KEY (ticket_id), 
	CONSTRAINT ck_tickets_ck_tickets_status CHECK (status IN ('open', 'pending', 'closed')), 
	CONSTRAINT uq_tickets_merge_key UNIQUE (merge_key)
);
INSERT INTO "tickets" VALUES(1,'call|main|1795320000.1|incoming','incoming','open','+84901701234','19001234','hỗ trợ','an','gọi lại sáng mai; "giá" là bao nhiêu?',0,'call_answered',1795320005000,1795320005000,NULL,NULL,1,'[]',NULL,NULL,NULL,0);
INSERT INTO "tickets" VALUES(2,'missed_incoming|2026-11-22|+84901701234','missed_incoming','closed','+84901701234','19001234',NULL,NULL,'',1,'missed_merged_by_customer',1795320130000,1795320300000,1795320300000,'called_back',1,'[]',NULL,NULL,NULL,0);
INSERT INTO "tickets" VALUES(90,'missed_incoming|2026-11-22|+84901000009','missed_incoming','open','+84901000009',NULL,NULL,NULL,'',1,'missed_incoming',1795330020000,1795330020000,NULL,NULL,1,'[]',1795330020000,NULL,NULL,1);
CREATE TABLE tokens (
	token_id VARCHAR(40) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	label VARCHAR(255) DEFAULT '' NOT NULL, 
	created_at BIGINT NOT NULL, 
	last_used_at BIGINT, 
	revoked_at BIGINT, created_by VARCHAR(128), 
	CONSTRAINT pk_tokens PRIMARY KEY (token_id), 
	CONSTRAINT uq_tokens_digest UNIQUE (digest)
);
INSERT INTO "tokens" VALUES('t1','d1','admin','CRM',1795320000000,NULL,NULL,NULL);
CREATE TABLE wall_links (
	link_id VARCHAR(40) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	label VARCHAR(255) DEFAULT '' NOT NULL, 
	created_at BIGINT NOT NULL, 
	created_by VARCHAR(128) NOT NULL, 
	CONSTRAINT pk_wall_links PRIMARY KEY (link_id), 
	CONSTRAINT uq_wall_links_digest UNIQUE (digest)
);
INSERT INTO "wall_links" VALUES('w1','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','Sảnh tầng 2',1795330000000,'mai');
CREATE TABLE webhooks (
	webhook_id VARCHAR(40) NOT NULL, 
	url TEXT NOT NULL, 
	events TEXT NOT NULL, 
	description VARCHAR(255) DEFAULT '' NOT NULL, 
	secret VARCHAR(128) NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	disabled_reason VARCHAR(255), 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_webhooks PRIMARY KEY (webhook_id)
);
INSERT INTO "webhooks" VALUES('wh_1','https://crm.example/hook','["call.missed"]','CRM','whsec_b2xk',1,NULL,1,1);
CREATE INDEX ix_calls_customer_number_started_at ON calls (customer_number, started_at);
CREATE INDEX ix_deliveries_created_at ON deliveries (created_at);
CREATE INDEX ix_deliveries_status_next_attempt_at ON deliveries (status, next_attempt_at);
CREATE INDEX ix_tickets_customer_number ON tickets (customer_number);
CREATE INDEX ix_tickets_status_updated_at ON tickets (status, updated_at);
CREATE INDEX ix_ticket_calls_ticket_id_position ON ticket_calls (ticket_id, position);
CREATE INDEX ix_sessions_account ON sessions (account);
CREATE INDEX ix_audit_log_at ON audit_log (at);
CREATE INDEX ix_audit_log_object ON audit_log (object);
CREATE INDEX ix_agent_endpoints_user_id ON agent_endpoints (user_id);
CREATE INDEX ix_screen_pops_user_id_at ON screen_pops (user_id, at);
CREATE INDEX ix_calls_history ON calls (started_at, pbx, call_id, direction, outcome, missed_reason, ended_by, queue, hotline, user_id, customer_number, state, queued_at, rung_at, answered_at, ended_at);
CREATE INDEX ix_calls_customer_end ON calls (substr(customer_number, -4), started_at);
CREATE INDEX ix_calls_living ON calls (state) WHERE state != 'ended';
CREATE INDEX ix_deliveries_call_id_created_at ON deliveries (call_id, created_at);
CREATE INDEX ix_agent_periods_sums ON agent_periods (user_id, doing, reason, ended_at, began_at, estimated);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('audit_log',1);
COMMIT;
