package dev.glovebox.brain;

import dev.glovebox.protocol.brain.Brain.Output;
import dev.glovebox.protocol.event.ContentBlock;
import dev.glovebox.protocol.session.ModelUsage;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import tools.jackson.databind.node.ObjectNode;

/// Writes down what a brain puts out, one line an act; previews and usage apart.
final class RecordedOutput implements Output {
    final List<String> acts = new CopyOnWriteArrayList<>();
    final List<String> deltas = new CopyOnWriteArrayList<>();
    final List<ModelUsage> usage = new CopyOnWriteArrayList<>();

    @Override
    public void message(List<ContentBlock> content) {
        content.forEach(
                b -> acts.add("says " + (b instanceof ContentBlock.Text(String t) ? t : b)));
    }

    @Override
    public void textDelta(String text) {
        deltas.add(text);
    }

    @Override
    public void thinking() {
        acts.add("thinks");
    }

    @Override
    public void toolUse(String name, ObjectNode input) {
        acts.add("calls " + name + " " + input);
    }

    @Override
    public void usage(ModelUsage used) {
        usage.add(used);
    }
}
