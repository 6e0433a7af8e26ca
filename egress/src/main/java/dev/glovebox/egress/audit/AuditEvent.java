package dev.glovebox.egress.audit;

import dev.glovebox.protocol.Json;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/// What a record says happened. Holds names of credentials, never values, and no query of a request
/// target.
public sealed interface AuditEvent {
    /// The word in the record's `event`.
    String word();

    /// Adds what is particular to this event.
    void write(ObjectNode record);

    /// Who it happened to.
    ///
    /// @param door the sandbox's door
    /// @param session the session it serves
    /// @param call the tool call that was running
    record Subject(String door, Optional<String> session, Optional<String> call) {
        void write(ObjectNode record) {
            record.put("door", door);
            session.ifPresent(id -> record.put("session", id));
            call.ifPresent(id -> record.put("call", id));
        }
    }

    /// Where it went.
    ///
    /// @param dialled the address and port that the sandbox connected to, as it arrived
    /// @param host the name or address meant, canonical
    /// @param port 1-65535; 53 for a name that was not answered
    record Target(String dialled, String host, int port) {
        void write(ObjectNode record) {
            record.put("dialled", dialled).put("host", host).put("port", port);
        }
    }

    /// What was decided.
    ///
    /// @param verdict `allow`, `audit`, `learn`, `deny` or `ask`
    /// @param rule its name; `-` if none spoke
    /// @param credential name of the one that is used
    /// @param reason one line for people
    record Ruling(String verdict, String rule, Optional<String> credential, String reason) {
        void write(ObjectNode record) {
            record.put("verdict", verdict).put("rule", rule);
            credential.ifPresent(name -> record.put("credential", name));
            record.put("reason", reason);
        }
    }

    /// An allowed connection is about to be made, or one was refused.
    ///
    /// @param protocol as in a rule; empty if no rule spoke
    record Connection(Subject who, Target to, String protocol, Ruling ruling)
            implements AuditEvent {
        @Override
        public String word() {
            return "connection";
        }

        @Override
        public void write(ObjectNode record) {
            who.write(record);
            to.write(record);
            record.put("protocol", protocol);
            ruling.write(record);
        }
    }

    /// What a connection turned out to speak that was let pass without a rule.
    ///
    /// @param protocol as in a rule
    record Found(Subject who, Target to, String protocol) implements AuditEvent {
        @Override
        public String word() {
            return "found";
        }

        @Override
        public void write(ObjectNode record) {
            who.write(record);
            to.write(record);
            record.put("protocol", protocol);
        }
    }

    /// A door judges by another policy from here on.
    ///
    /// @param by who wanted that
    /// @param digest SHA-256 of the policy, as `glovebox policy check` prints it
    /// @param rules how many it has
    /// @param learns whether it lets pass what no rule speaks of
    record PolicyChange(Subject who, String by, String digest, int rules, boolean learns)
            implements AuditEvent {
        @Override
        public String word() {
            return "policy";
        }

        @Override
        public void write(ObjectNode record) {
            who.write(record);
            record.put("by", by).put("policy", digest).put("rules", rules).put("learns", learns);
        }
    }

    /// An allowed request is about to be sent, or one was refused.
    ///
    /// @param protocol `http` or `https`
    /// @param path canonical, without the query
    record Request(
            Subject who, Target to, String protocol, String method, String path, Ruling ruling)
            implements AuditEvent {
        @Override
        public String word() {
            return "request";
        }

        @Override
        public void write(ObjectNode record) {
            who.write(record);
            to.write(record);
            record.put("protocol", protocol).put("method", method).put("path", path);
            ruling.write(record);
        }
    }

    /// A connection has ended.
    ///
    /// @param of number of its first record
    /// @param bytesOut that the sandbox sent
    /// @param bytesIn that it received
    record End(Subject who, Target to, long of, long bytesOut, long bytesIn, Duration duration)
            implements AuditEvent {
        @Override
        public String word() {
            return "end";
        }

        @Override
        public void write(ObjectNode record) {
            who.write(record);
            to.write(record);
            record.put("of", of).put("bytes_out", bytesOut).put("bytes_in", bytesIn);
            record.put("millis", duration.toMillis());
        }
    }

    /// The operator has answered a question.
    ///
    /// @param rule that asked
    /// @param allowed what was said
    /// @param by who said it
    /// @param until when that holds no longer
    record Answered(Subject who, Target to, String rule, boolean allowed, String by, Instant until)
            implements AuditEvent {
        @Override
        public String word() {
            return "answer";
        }

        @Override
        public void write(ObjectNode record) {
            who.write(record);
            to.write(record);
            record.put("rule", rule).put("allowed", allowed).put("by", by);
            record.put("until", until.toString());
        }
    }

    /// Events that have no record: too many refusals of one sandbox at once, or no space.
    record Missed(long count, String reason) implements AuditEvent {
        @Override
        public String word() {
            return "missed";
        }

        @Override
        public void write(ObjectNode record) {
            record.put("count", count).put("reason", reason);
        }
    }

    /// The first record of a file.
    ///
    /// @param previous hash of the last record of the file before it
    record Anchor(String previous) implements AuditEvent {
        @Override
        public String word() {
            return "anchor";
        }

        @Override
        public void write(ObjectNode record) {
            record.put("previous", previous);
        }
    }

    /// The oldest file is about to be removed.
    ///
    /// @param through number of the last record in it
    /// @param hash of that record, which the next file's anchor repeats
    record Removal(long through, String hash) implements AuditEvent {
        @Override
        public String word() {
            return "removal";
        }

        @Override
        public void write(ObjectNode record) {
            record.put("through", through).put("hash_of_last", hash);
        }
    }

    /// The end of the file was cut in the middle of a record, by a crash, and has been taken away.
    ///
    /// @param bytes that were taken away
    record Repair(long bytes) implements AuditEvent {
        @Override
        public String word() {
            return "repair";
        }

        @Override
        public void write(ObjectNode record) {
            record.put("bytes", bytes);
        }
    }

    /// The event as an object with number and time in front.
    default ObjectNode numbered(long number, Instant time) {
        ObjectNode record = Json.object();
        record.put("number", number).put("time", time.toString()).put("event", word());
        write(record);
        return record;
    }
}
