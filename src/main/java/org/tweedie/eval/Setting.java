// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A setting holds what all cells of a file have in common. It is the first line of the file, and an evaluation continues a
 * file only if its own setting is equal.
 *
 * @param values the values by name, for example {@code device} and {@code size}
 */
public record Setting(Map<String, String> values) {
    /** The beginning of the line. */
    static final String START = "{\"evaluation\":{";
    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

    /** Copies the values. */
    public Setting {
        values = new LinkedHashMap<>(values);
    }

    /** Returns the setting as one line of JSON, without the line's end. */
    public String line() {
        return GSON.toJson(Map.of("evaluation", values));
    }

    /** Reads a line of JSON. @throws IllegalArgumentException when it is not a setting */
    public static Setting of(String line) {
        try {
            JsonObject header = JsonParser.parseString(line).getAsJsonObject().getAsJsonObject("evaluation");
            Map<String, String> values = new LinkedHashMap<>();
            for (Map.Entry<String, JsonElement> e : header.entrySet()) {
                values.put(e.getKey(), e.getValue().getAsString());
            }
            return new Setting(values);
        } catch (JsonParseException | IllegalStateException | NullPointerException | UnsupportedOperationException
                | ClassCastException e) {
            throw new IllegalArgumentException("expected the first line of a file of cells, " + START + "...}}, got '" + line
                    + "'", e);
        }
    }

    /** Says in which value this setting, of a file, differs from that of a run; empty if they are equal. */
    public Optional<String> difference(Setting run) {
        Set<String> names = new LinkedHashSet<>(values.keySet());
        names.addAll(run.values.keySet());
        return names.stream().filter(n -> !value(n).equals(run.value(n)))
                .map(n -> n + " is " + value(n) + " in the file and " + run.value(n) + " in this run").findFirst();
    }

    private String value(String name) {
        return values.getOrDefault(name, "missing");
    }

    /**
     * Returns a text that identifies a checkpoint wherever its folder lies: a hash of model_index.json and of the names and
     * sizes of the configuration and weight files.
     */
    public static String model(Path folder) throws IOException {
        Path index = folder.resolve("model_index.json");
        if (!Files.isRegularFile(index)) {
            throw new IllegalArgumentException(folder + ": expected a checkpoint folder with a file model_index.json; check "
                    + "--model");
        }
        try (Stream<Path> files = Files.walk(folder, 2, FileVisitOption.FOLLOW_LINKS)) {
            MessageDigest hash = MessageDigest.getInstance("SHA-256");
            hash.update(Files.readAllBytes(index));
            List<Path> parts = files.filter(f -> f.toString().endsWith(".json") || f.toString().endsWith(".safetensors"))
                    .sorted().toList();
            for (Path f : parts) {
                hash.update((folder.relativize(f) + " " + Files.size(f) + "\n").getBytes(StandardCharsets.UTF_8));
            }
            return HexFormat.of().formatHex(hash.digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has SHA-256
        }
    }
}
