// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the storage of choices on disk. */
class PlanCacheTest {
    private static final EngineChoice CHOICE = new EngineChoice(62, new TreeMap<>(Map.of(2L, 19L, 13L, 1L, 25L, -1L)));

    @TempDir
    Path folder;

    private final List<String> warnings = new ArrayList<>();

    private PlanCache open() {
        return new PlanCache(folder.resolve("new/folder/plans.json"), warnings::add);
    }

    @Test
    void comesBack() throws IOException {
        open().put("a \"quoted\" key <&>", CHOICE);
        assertEquals(Optional.of(CHOICE), open().get("a \"quoted\" key <&>"));
        assertEquals(Optional.empty(), open().get("another"));
        try (Stream<Path> files = Files.list(folder.resolve("new/folder"))) {
            assertEquals(List.of(folder.resolve("new/folder/plans.json")), files.toList(), "nothing else is left behind");
        }
        assertEquals(List.of(), warnings);
    }

    /** Two processes write at once, and neither may lose what the other has written. */
    @Test
    void keepsWhatOthersWrite() {
        PlanCache one = open();
        PlanCache two = open();
        one.get("x");
        two.put("b", CHOICE);
        one.put("a", CHOICE);
        assertEquals(Optional.of(CHOICE), open().get("b"));
        assertEquals(Optional.of(CHOICE), open().get("a"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "not json", "[1, 2]", "{\"format\": 2, \"choices\": {}}", "{\"format\": 1}",
            "{\"format\": 1, \"choices\": 7}", "\0\1\2"})
    void aDamagedFileIsIgnoredOnceAndReplaced(String content) throws IOException {
        Path file = folder.resolve("plans.json");
        Files.writeString(file, content);
        PlanCache cache = new PlanCache(file, warnings::add);
        assertEquals(Optional.empty(), cache.get("a"));
        cache.put("a", CHOICE);
        assertEquals(Optional.of(CHOICE), cache.get("a"));
        assertEquals(1, warnings.size(), warnings.toString());
        assertTrue(warnings.getFirst().startsWith(file + ": ignored ("), warnings.getFirst());
        assertEquals(Optional.of(CHOICE), new PlanCache(file, warnings::add).get("a"));
    }

    @Test
    void aDamagedChoiceAlone() throws IOException {
        Path file = folder.resolve("plans.json");
        Files.writeString(file, "{\"format\": 1, \"choices\": {\"a\": \"eng5 k2\", \"b\": \"eng5 k2=3\", \"c\": null}}");
        PlanCache cache = new PlanCache(file, warnings::add);
        assertEquals(Optional.empty(), cache.get("a"));
        assertEquals(Optional.of(new EngineChoice(5, new TreeMap<>(Map.of(2L, 3L)))), cache.get("b"));
        assertEquals(Optional.empty(), cache.get("c"));
        assertEquals(1, warnings.size());
        assertTrue(warnings.getFirst().contains("expected a knob as in k2=3, got 'k2'"), warnings.getFirst());
    }

    @Test
    void whatCannotBeWrittenIsSaidOnce() throws IOException {
        Files.writeString(folder.resolve("taken"), "a file where a folder is wanted");
        PlanCache cache = new PlanCache(folder.resolve("taken/plans.json"), warnings::add);
        cache.put("a", CHOICE);
        cache.put("b", CHOICE);
        assertEquals(Optional.of(CHOICE), cache.get("a"), "in this run it is known all the same");
        assertEquals(1, warnings.stream().filter(w -> w.contains("cannot be written")).count(), warnings.toString());
    }

    @Test
    void choicesAsText() {
        assertEquals("eng62 k2=19 k13=1 k25=-1", CHOICE.toString());
        assertEquals(CHOICE, EngineChoice.parse(CHOICE.toString()));
        assertEquals(new EngineChoice(0, new TreeMap<>()), EngineChoice.parse("eng0"));
        for (String bad : new String[] {"", "62", "eng", "engine5", "eng5 k=1", "eng5  k2=1", "eng99999999999"}) {
            assertThrows(IllegalArgumentException.class, () -> EngineChoice.parse(bad), bad);
        }
    }
}
