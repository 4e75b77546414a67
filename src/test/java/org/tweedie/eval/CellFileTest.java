// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CellFileTest {
    private static final Setting SETTING = setting("cpu");
    private static final List<Cell> CELLS = List.of(cell("a.png", 26.123456789012345), cell("ä \"b\".png", Double.NaN),
            cell("c.png", Double.POSITIVE_INFINITY));

    @TempDir
    Path folder;
    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("cells.jsonl");
    }

    private static Setting setting(String device) {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("model", "0123");
        values.put("device", device);
        return new Setting(values);
    }

    private static Cell cell(String picture, double psnr) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("psnr", psnr);
        metrics.put("a", 0.1);
        return new Cell(new Cell.Key(picture, "sr:4", "gaussian:0.01", "stsl:eta=0", -3), metrics, Map.of("nfe", 7L), 1.5);
    }

    private byte[] written() throws IOException {
        Files.deleteIfExists(file);
        try (CellFile f = CellFile.open(file, SETTING)) {
            for (Cell c : CELLS) {
                f.append(c);
            }
        }
        return Files.readAllBytes(file);
    }

    private String fault(Setting setting) {
        return assertThrows(IllegalArgumentException.class, () -> CellFile.open(file, setting)).getMessage();
    }

    @Test
    void whatIsWrittenIsRead() throws IOException {
        written();
        CellFile.Contents read = CellFile.read(file);
        assertEquals(SETTING, read.setting());
        assertEquals(CELLS, read.cells());
        assertEquals(List.of("psnr", "a"), List.copyOf(read.cells().getFirst().metrics().keySet()), "the order is kept");
    }

    /** Each line is in the file when append returns, also for a reader that opens the file meanwhile. */
    @Test
    void aCellIsThereAtOnce() throws IOException {
        try (CellFile f = CellFile.open(file, SETTING)) {
            assertEquals(List.of(), CellFile.read(file).cells());
            f.append(CELLS.getFirst());
            assertEquals(CELLS.subList(0, 1), CellFile.read(file).cells());
        }
    }

    /** Wherever a kill cuts the file, the complete lines are kept, and what is made anew gives the same bytes. */
    @Test
    void continuesAfterACutAtEveryByte() throws IOException {
        byte[] whole = written();
        for (int length = 0; length <= whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            int lines = 0;
            for (int i = 0; i < length; i++) {
                lines += whole[i] == '\n' ? 1 : 0;
            }
            int kept = Math.max(0, lines - 1);
            try (CellFile f = CellFile.open(file, SETTING)) {
                assertEquals(CELLS.subList(0, kept), f.cells(), "cut to " + length + " bytes");
                for (Cell c : CELLS.subList(kept, CELLS.size())) {
                    f.append(c);
                }
            }
            assertArrayEquals(whole, Files.readAllBytes(file), "cut to " + length + " bytes");
        }
    }

    /** A bad line that has an end was not cut by a kill. The file is left as it is. */
    @Test
    void refusesABadLine() throws IOException {
        List<String> lines = new String(written(), StandardCharsets.UTF_8).lines().toList();
        for (String bad : List.of("", "{", "nonsense", "{}", "null", "[1]", lines.get(2).substring(0, 60), SETTING.line(),
                "{\"key\":{\"picture\":\"a\"},\"metrics\":{},\"evaluations\":{},\"seconds\":1}")) {
            for (int at = 1; at <= 4; at++) {
                List<String> mixed = new ArrayList<>(lines);
                mixed.add(at, bad);
                Files.write(file, mixed);
                byte[] before = Files.readAllBytes(file);
                String message = fault(SETTING);
                assertTrue(message.startsWith(file + ", line " + (at + 1) + ": expected a cell of an evaluation"), message);
                assertArrayEquals(before, Files.readAllBytes(file));
            }
        }
    }

    @Test
    void refusesADuplicate() throws IOException {
        List<String> lines = new ArrayList<>(new String(written(), StandardCharsets.UTF_8).lines().toList());
        lines.add(lines.get(1));
        Files.write(file, lines);
        assertEquals(file + ", line 5: the cell a.png, sr:4, gaussian:0.01, stsl:eta=0, seed -3 is in the file already; remove "
                + "one of the two lines", fault(SETTING));
        written();
        try (CellFile f = CellFile.open(file, SETTING)) {
            assertThrows(IllegalStateException.class, () -> f.append(CELLS.getFirst()));
        }
    }

    @Test
    void refusesAnotherSetting() throws IOException {
        byte[] whole = written();
        assertEquals(file + ": device is cpu in the file and cuda in this run; name another file with --cells, or repeat the "
                + "options", fault(setting("cuda")));
        Map<String, String> more = new LinkedHashMap<>(SETTING.values());
        more.put("spread", "true");
        assertTrue(fault(new Setting(more)).contains("spread is missing in the file and true in this run"));
        assertArrayEquals(whole, Files.readAllBytes(file));
    }

    @Test
    void refusesAFileOfAnotherKind() throws IOException {
        for (String text : List.of("x", "picture,task", "{\"evaluation\":[", "{\"a\":1}\n", "\n", "picture,task\n1,2\n", "\0")) {
            Files.writeString(file, text);
            String message = fault(SETTING);
            assertTrue(message.startsWith(file + ", line 1: expected "), message);
            assertEquals(text, Files.readString(file));
        }
    }

    @Test
    void refusesASecondWriter() throws IOException {
        try (CellFile first = CellFile.open(file, SETTING)) {
            assertEquals(file + ": another evaluation writes to this file; wait for it, or name another file with --cells",
                    fault(SETTING));
            first.append(CELLS.getFirst());
        }
        CellFile.open(file, SETTING).close();
    }
}
