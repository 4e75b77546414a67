// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.engine;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.tweedie.device.cudnn.binding.CudnnException;

/**
 * The chosen engines, stored on disk, so that the next run makes the same choices, gives the same bytes and spends no time on
 * choosing. One small JSON file serves all cards and versions. If the file cannot be read, engines are chosen anew; if it cannot
 * be written, one warning says so. A cache is used by one thread at a time.
 */
public final class PlanCache {
    private static final int FORMAT = 1;
    private static final Gson GSON = new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

    private final Path file;
    private final Consumer<String> warnings;
    private Map<String, String> choices;
    private final Set<String> said = new HashSet<>();

    /** The content of the file. */
    private record Content(int format, TreeMap<String, String> choices) {}

    /**
     * Makes a cache; the file is read when it is first needed.
     *
     * @param file the file, which need not exist; its folder is made when it is first written
     * @param warnings gets one line when the file is damaged or cannot be written
     */
    public PlanCache(Path file, Consumer<String> warnings) {
        this.file = file.toAbsolutePath();
        this.warnings = warnings;
    }

    /**
     * Returns the stored choice.
     *
     * @param key everything that the choice depends on: card, version and the call
     */
    Optional<EngineChoice> get(String key) {
        if (choices == null) {
            choices = read();
        }
        String text = choices.get(key);
        if (text == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(EngineChoice.parse(text));
        } catch (IllegalArgumentException e) {
            choices.remove(key);
            warn(file + ": the choice for " + key + " is malformed (" + e.getMessage() + "); choosing anew");
            return Optional.empty();
        }
    }

    /** Stores a choice and keeps those that other processes have written meanwhile. */
    void put(String key, EngineChoice choice) {
        TreeMap<String, String> all = new TreeMap<>(read());
        if (choices != null) {
            choices.forEach(all::putIfAbsent);
        }
        all.put(key, choice.toString());
        choices = all;
        try {
            Files.createDirectories(file.getParent());
            Path beside = Files.createTempFile(file.getParent(), file.getFileName().toString(), ".part");
            try {
                Files.writeString(beside, GSON.toJson(new Content(FORMAT, all)) + "\n");
                move(beside, file);
            } finally {
                Files.deleteIfExists(beside);
            }
        } catch (IOException e) {
            warnOnce("writing", file + ": cannot be written (" + e + "); cuDNN's engines will be chosen anew in the next run");
        }
    }

    public void warn(String line) {
        warnings.accept(line);
    }

    /**
     * Warns once that an engine has failed although it supports its graph, and that another is used; mostly one cause makes many
     * engines fail.
     */
    void warnOfFailure(CudnnException e) {
        warnOnce("failure", "cuDNN: an engine cannot be made ready although it supports the graph, so another takes its place "
                + "here and maybe elsewhere; it may be "
                + "slower. If the cause is one of this machine (a broken NVRTC, for example; './tweedie doctor' names the "
                + "loaded libraries), repair it and delete " + file + ". " + e.getMessage());
    }

    private void warnOnce(String about, String line) {
        if (said.add(about)) {
            warn(line);
        }
    }

    private Map<String, String> read() {
        try {
            Content c = GSON.fromJson(Files.readString(file), Content.class);
            if (c != null && c.format() == FORMAT && c.choices() != null) {
                c.choices().values().removeIf(v -> v == null);
                return c.choices();
            }
            warnDamaged("it holds no list of choices of format " + FORMAT);
        } catch (NoSuchFileException e) {
            return new TreeMap<>();
        } catch (IOException | JsonParseException e) {
            warnDamaged(e.toString());
        }
        return new TreeMap<>();
    }

    private void warnDamaged(String how) {
        if (choices == null) { // warn once, since later readings would find the same
            warn(file + ": ignored (" + how + "); cuDNN's engines are chosen anew, and the file is replaced");
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
