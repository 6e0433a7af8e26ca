package dev.glovebox.brain;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.agent.SessionAgent;
import dev.glovebox.protocol.brain.Brain.Request;
import dev.glovebox.protocol.event.Event;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// Sessions to ask a brain about, in the wire's own words.
final class Sessions {
    private Sessions() {}

    /// One event; `'` stands for `"`.
    static Event event(String json) {
        return Json.read(json.replace('\'', '"'), Event.class);
    }

    static List<Event> history(String... json) {
        return java.util.Arrays.stream(json).map(Sessions::event).toList();
    }

    /// A user's message.
    static Event says(String text) {
        ObjectNode event = Json.object().put("type", "user.message").put("id", "sevt_u");
        event.putArray("content").addObject().put("type", "text").put("text", text);
        return Json.fromTree(event, Event.class);
    }

    static SessionAgent agent(String model, String tools) {
        return Json.read(
                """
                {'type':'agent','id':'agent_1','version':1,'name':'a','description':null,
                 'model':{'id':'%s','effort':{'type':'high'}},'system':'You work with care.',
                 'tools':%s,'mcp_servers':[],'skills':[],'multiagent':null,
                 'execution_identity':{'type':'service_account'}}
                """
                        .formatted(model, tools)
                        .replace('\'', '"'),
                SessionAgent.class);
    }

    /// An agent with the whole toolset.
    static SessionAgent agent(String model) {
        return agent(
                model,
                """
                [{'type':'agent_toolset_20260401','configs':[{'type':'glob','name':'glob',
                  'enabled':false,'permission_policy':{'type':'always_allow'}}],
                  'default_config':{'enabled':true,'permission_policy':{'type':'always_allow'}}},
                 {'type':'custom','name':'get_weather','description':'the weather of a place',
                  'input_schema':{'type':'object','properties':{'city':{'type':'string'}},
                  'required':['city']}}]
                """);
    }

    static Request request(String model, List<Event> history) {
        return new Request("sesn_1", agent(model), history);
    }
}
