// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.console;

import java.util.LinkedHashMap;
import java.util.Map;

/** The parameters of a run, which are stored in the picture that the run writes, so that the run can be repeated. */
public final class Provenance {
    private final Map<String, String> options = new LinkedHashMap<>();
    private final String command;
    private final String argument;

    /** @param argument the argument that is not an option: an input file or a prompt; null for none */
    public Provenance(String command, String argument) {
        this.command = command;
        this.argument = argument;
    }

    public Map<String, String> options() {
        return options;
    }

    public Provenance with(String option, Object value) {
        options.put(option, value instanceof Double d ? Numbers.of(d) : value.toString());
        return this;
    }

    /**
     * Returns the parameters by key: version; command, which repeats the run once {@code -o} is appended; then each option by
     * its name.
     */
    public Map<String, String> text() {
        StringBuilder line = new StringBuilder("tweedie " + command + (argument == null ? "" : " " + Notes.quoted(argument)));
        options.forEach((k, v) -> line.append(" --").append(k).append(' ').append(Notes.quoted(v)));
        Map<String, String> text = new LinkedHashMap<>();
        text.put("version", Version.number());
        text.put("command", line.toString());
        text.putAll(options);
        return text;
    }
}
