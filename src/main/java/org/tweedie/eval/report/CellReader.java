// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.tweedie.eval.Cell;

/**
 * Reads files of cells. Each line is a cell in JSON; the first line may be an object with the key
 * {@code evaluation}, which says how the cells were made.
 *
 * @param cells the cells in the order of the files
 * @param settings the different values of {@code evaluation}, as text
 * @param notes what a reader has to know: a file whose last line is cut
 */
public record CellReader(List<Cell> cells, Set<String> settings, List<String> notes) {
    private static final String EVALUATION = "evaluation";

    /**
     * Reads files. A last line that has no end was cut, or is still being written; it is left out, and a note says so.
     *
     * @throws IllegalArgumentException when another line is not a cell; the message names file and line
     */
    public static CellReader read(List<Path> files) throws IOException {
        CellReader read = new CellReader(new ArrayList<>(), new LinkedHashSet<>(), new ArrayList<>());
        for (Path file : files) {
            read.add(file, Files.readString(file, StandardCharsets.UTF_8));
        }
        return read;
    }

    private void add(Path file, String text) {
        int end = text.lastIndexOf('\n') + 1;
        if (end < text.length()) {
            notes.add("The last line of " + file.getFileName() + " has no end, so it is left out.");
        }
        List<String> lines = text.substring(0, end).lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            try {
                if (i > 0 || !isSetting(lines.getFirst())) {
                    cells.add(Cell.of(lines.get(i)));
                }
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(file + ", line " + (i + 1) + ": " + e.getMessage() + "; remove the line, or "
                        + "name a file of cells", e);
            }
        }
    }

    /** Returns true for the line that says how the cells were made, and keeps what it says. */
    private boolean isSetting(String line) {
        try {
            JsonElement e = JsonParser.parseString(line);
            if (!e.isJsonObject() || !e.getAsJsonObject().has(EVALUATION)) {
                return false;
            }
            JsonElement setting = e.getAsJsonObject().get(EVALUATION);
            settings.add(setting.isJsonObject() ? text(setting.getAsJsonObject()) : setting.toString());
            return true;
        } catch (JsonParseException e) {
            return false; // then it is not a cell either, and the message about cells is shown
        }
    }

    private static String text(JsonObject setting) {
        List<String> words = new ArrayList<>();
        new TreeMap<>(setting.asMap()).forEach((name, value) -> words.add(name + " "
                + (value.isJsonPrimitive() ? value.getAsString() : value.toString())));
        return String.join(", ", words);
    }
}
