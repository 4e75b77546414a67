// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.engine;

import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * An engine of cuDNN with the values of its knobs. For the same graph, card and version the same choice is the same kernel, and
 * therefore gives the same bytes.
 *
 * @param engine the engine's number among those that support the graph
 * @param knobs the value of each cudnnBackendKnobType_t
 */
public record EngineChoice(long engine, SortedMap<Long, Long> knobs) {
    /** Returns a text such as {@code eng5 k2=3 k24=7}. */
    @Override
    public String toString() {
        return "eng" + engine + knobs.entrySet().stream().map(e -> " k" + e.getKey() + "=" + e.getValue())
                .collect(Collectors.joining());
    }

    /**
     * Parses the text that {@link #toString} returns.
     *
     * @throws IllegalArgumentException when the text is not a choice
     */
    static EngineChoice parse(String text) {
        String[] words = text.split(" ");
        if (!words[0].matches("eng\\d{1,9}")) {
            throw new IllegalArgumentException("'" + text + "': expected an engine as in eng5");
        }
        SortedMap<Long, Long> knobs = new TreeMap<>();
        for (int i = 1; i < words.length; i++) {
            if (!words[i].matches("k\\d{1,9}=-?\\d{1,9}")) {
                throw new IllegalArgumentException("'" + text + "': expected a knob as in k2=3, got '" + words[i] + "'");
            }
            String[] pair = words[i].substring(1).split("=");
            knobs.put(Long.parseLong(pair[0]), Long.parseLong(pair[1]));
        }
        return new EngineChoice(Long.parseLong(words[0].substring(3)), knobs);
    }
}
