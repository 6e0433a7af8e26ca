package dev.glovebox.worker.operator;

import dev.glovebox.egress.EgressException;
import dev.glovebox.egress.ask.Question;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.Endpoint;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.file.PolicyTree;
import dev.glovebox.worker.policy.LivePolicies;
import dev.glovebox.worker.policy.SessionPolicy;
import dev.glovebox.worker.policy.SessionPolicyException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import tools.jackson.databind.node.ObjectNode;

/// Shows and changes policies for one operator.
final class PolicyDesk {
    private static final System.Logger LOG = System.getLogger(PolicyDesk.class.getName());
    private static final int DIGEST_SHOWN = 12;

    private final Roster roster;
    private final String who;

    /// @param who the operator, for the records
    PolicyDesk(Roster roster, String who) {
        this.roster = roster;
        this.who = who;
    }

    /// Does what is wanted and puts what comes of it into the answer.
    ///
    /// @throws OperatorException if it cannot be done
    void carryOut(PolicyWish wish, ObjectNode answer) {
        switch (wish) {
            case PolicyWish.Show(String name) when name.isEmpty() -> overview(answer);
            case PolicyWish.Show(String name) -> {
                LiveSandbox sandbox = roster.find(name);
                ObjectNode one = answer.putArray("sandboxes").addObject();
                one(one, sandbox);
                one.set("policy", PolicyTree.shown(sandbox.policy().view().policy()));
            }
            case PolicyWish.Apply(List<String> names, String text) -> {
                EgressPolicy policy = read(text);
                String entry = PolicyTree.digest(policy).substring(0, DIGEST_SHOWN);
                change(names, "apply " + entry, one -> one.byHand(policy, operator()), answer);
            }
            case PolicyWish.Reset(List<String> names) ->
                    change(names, "reset", one -> one.byFiles(operator()), answer);
            case PolicyWish.Questions() -> questions(answer);
            case PolicyWish.Answer one -> answer(one, roster.find(one.sandbox()), answer);
        }
    }

    private String operator() {
        return "operator " + who;
    }

    private static EgressPolicy read(String text) {
        try {
            return EgressPolicy.parse(text);
        } catch (PolicyException e) {
            throw new OperatorException(
                    "the policy is invalid, nothing has changed:\n  "
                            + String.join("\n  ", e.problems()));
        }
    }

    private void change(
            List<String> names, String entry, Consumer<SessionPolicy> change, ObjectNode answer) {
        List<LiveSandbox> meant =
                names.isEmpty() ? roster.all() : names.stream().map(roster::find).toList();
        if (meant.isEmpty()) {
            throw new OperatorException("no sandbox to change: this worker serves no session now");
        }
        List<String> failures = new ArrayList<>();
        var list = answer.putArray("sandboxes");
        for (LiveSandbox sandbox : meant) {
            LOG.log(Level.INFO, "operator {0}: policy {1} in {2}", who, entry, sandbox.name());
            CallLog.Running call =
                    sandbox.log().begin("operator", "policy", entry + "  (" + who + ")");
            try {
                change.accept(sandbox.policy());
                call.end("ok", "");
                one(list.addObject(), sandbox);
            } catch (EgressException | SessionPolicyException e) {
                call.end("error", String.valueOf(e.getMessage()));
                failures.add(sandbox.name() + " is judged as before: " + e.getMessage());
            }
        }
        if (!failures.isEmpty()) {
            if (!list.isEmpty()) {
                failures.add(list.size() + " other sandboxes are judged as you said");
            }
            throw new OperatorException(String.join("\n", failures));
        }
    }

    private void questions(ObjectNode answer) {
        var list = answer.putArray("questions");
        for (LiveSandbox sandbox : roster.all()) {
            for (Question question : sandbox.door().questions()) {
                list.addObject()
                        .put("name", sandbox.name())
                        .put("session_id", sandbox.sessionId())
                        .put("destination", question.destination().toString())
                        .put("rule", question.rule())
                        .put("since", question.since().toString())
                        .put("waiting", question.waiting());
            }
        }
    }

    private void answer(PolicyWish.Answer wish, LiveSandbox sandbox, ObjectNode answer) {
        String word = (wish.allowed() ? "allow " : "deny ") + wish.destination();
        LOG.log(Level.INFO, "operator {0}: policy {1} in {2}", who, word, sandbox.name());
        CallLog.Running call = sandbox.log().begin("operator", "policy", word + "  (" + who + ")");
        try {
            Endpoint to = Endpoint.parse(wish.destination());
            boolean asked =
                    sandbox.door()
                            .answer(
                                    new Destination(to.host(), to.port()),
                                    wish.allowed(),
                                    Duration.ofSeconds(wish.seconds()),
                                    operator());
            if (!asked) {
                throw new OperatorException(
                        sandbox.name()
                                + " has not asked for "
                                + to
                                + ": see `glovebox policy questions`, or change the policy");
            }
            call.end("ok", "");
        } catch (EgressException | PolicyException | OperatorException e) {
            call.end("error", String.valueOf(e.getMessage()));
            throw e instanceof OperatorException refused
                    ? refused
                    : new OperatorException(String.valueOf(e.getMessage()), e);
        }
        answer.put("name", sandbox.name()).put("destination", wish.destination());
    }

    private void overview(ObjectNode answer) {
        LivePolicies live = roster.policies();
        answer.put("read", live.read().truncatedTo(ChronoUnit.SECONDS).toString());
        live.fault()
                .ifPresent(fault -> {
                    ObjectNode wrong = answer.putObject("fault");
                    wrong.put("since", fault.since().truncatedTo(ChronoUnit.SECONDS).toString());
                    fault.problems().forEach(wrong.putArray("problems")::add);
                });
        var policies = answer.putArray("policies");
        live.book()
                .each((name, policy) -> {
                    ObjectNode one = policies.addObject().put("name", name);
                    facts(one, policy);
                    Path file = live.paths().get(name);
                    one.put("file", file == null ? "" : file.toString());
                });
        var sandboxes = answer.putArray("sandboxes");
        roster.all().forEach(sandbox -> one(sandboxes.addObject(), sandbox));
    }

    private static void one(ObjectNode json, LiveSandbox sandbox) {
        SessionPolicy.View view = sandbox.policy().view();
        json.put("name", sandbox.name())
                .put("session_id", sandbox.sessionId())
                .put("policy_name", view.name())
                .put("by", view.by())
                .put("since", view.since().toString())
                .put("trouble", view.trouble());
        facts(json, view.policy());
    }

    private static void facts(ObjectNode json, EgressPolicy policy) {
        json.put("digest", PolicyTree.digest(policy))
                .put("rules", policy.rules().size())
                .put("learns", policy.fallback() == EgressPolicy.Fallback.LEARN);
    }
}
