// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

class SafeTensorsTest {
    @TempDir
    Path folder;

    /** Makes a file with that header and that many bytes 0, 1, 2 ... of tensors. */
    static byte[] file(String header, int dataBytes) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length)
                .put(json);
        for (int i = 0; i < dataBytes; i++) {
            out.put((byte) i);
        }
        return out.array();
    }

    static SafeTensors read(byte[] bytes) throws CheckpointException {
        return SafeTensors.of("x.safetensors", MemorySegment.ofArray(bytes));
    }

    private static void refused(byte[] bytes, String... parts) {
        String message = assertThrows(CheckpointException.class, () -> read(bytes)).getMessage();
        assertTrue(message.startsWith("x.safetensors: "), message);
        assertEquals(1, message.lines().count(), message);
        for (String part : parts) {
            assertTrue(message.contains(part), message);
        }
    }

    private static void refused(String header, int dataBytes, String... parts) {
        refused(file(header, dataBytes), parts);
    }

    private static String entry(String name, String dtype, String shape, long begin, long end) {
        return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":[" + begin + "," + end
                + "]}";
    }

    private static void refusedEntry(String value, String... parts) {
        refused("{\"w\":" + value + "}", 8, parts);
    }

    @Test
    void readsTensorsInFileOrderWithMetadata() throws Exception {
        SafeTensors f = read(file("{\"__metadata__\":{\"format\":\"pt\"}," + entry("b", "U8", "[2]", 3, 5) + ","
                + entry("a", "U8", "[3]", 0, 3) + "}  ", 5));
        assertEquals(List.of("b", "a"), List.copyOf(f.tensors().keySet()));
        assertEquals(Map.of("format", "pt"), f.metadata());
        assertArrayEquals(new long[] {3, 4}, f.tensor("b").longs());
        assertArrayEquals(new long[] {0, 1, 2}, f.tensor("a").longs());
        assertThrows(UnsupportedOperationException.class, () -> f.tensors().clear());
        assertTrue(assertThrows(IllegalArgumentException.class, () -> f.tensor("c")).getMessage().contains("no tensor 'c'"));
    }

    @Test
    void readsNumbersAtAnyOffset() throws Exception {
        SafeTensors f = read(file("{" + entry("one", "U8", "[1]", 0, 1) + "," + entry("w", "F32", "[]", 1, 5) + ","
                + entry("l", "I64", "[1]", 5, 13) + "}", 13));
        assertEquals(Float.intBitsToFloat(0x04030201), f.tensor("w").get(0));
        assertEquals(0x0C0B0A0908070605L, f.tensor("l").longs()[0]);
    }

    @Test
    void acceptsNoTensorsEmptyTensorsAndScalars() throws Exception {
        assertTrue(read(file("{}", 0)).tensors().isEmpty());
        SafeTensors f = read(file("{" + entry("none", "F32", "[0,7]", 0, 0) + "," + entry("s", "F16", "[]", 0, 2) + "}", 2));
        assertEquals(Shape.of(0, 7), f.tensor("none").shape());
        assertEquals(1, f.tensor("s").size());
    }

    @Test
    void refusesShortAndCutFiles() {
        refused(new byte[0], "has 0 bytes");
        refused(new byte[7], "has 7 bytes");
        byte[] good = file("{" + entry("w", "U8", "[8]", 0, 8) + "}", 8);
        for (int n = 8; n < good.length; n++) {
            refused(Arrays.copyOf(good, n));
        }
        refused(Arrays.copyOf(good, good.length - 1), "tensor 'w'", "end at 8", "holds 7");
        refused(Arrays.copyOf(good, good.length + 1), "end at byte 8 of 9", "after the last tensor");
    }

    @ParameterizedTest
    @CsvSource({"-1, at most 100000000", "100000001, at most 100000000", "100000000, only 92 follow", "93, only 92 follow",
            "0, begin with '{'", "92, begin with '{'"})
    void refusesLyingHeaderLength(long length, String part) {
        byte[] bytes = new byte[100];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
        refused(bytes, part);
    }

    @Test
    void refusesWhatIsNotJsonOrNotUtf8() {
        refused(" {}", 0, "begin with '{'");
        refused("[]", 0, "begin with '{'");
        refused("{\"w\"", 0, "not valid JSON");
        refused("{'w':1}", 0, "not valid JSON");
        refused("{\"w\":{\"dtype\":U8}}", 0, "not valid JSON");
        refused("{}{}", 0, "not valid JSON at line 1 column");
        refused("{}\u0000", 0, "not valid JSON");
        byte[] latin = file("{\"__metadata__\":{\"k\":\"?\"}}", 0);
        latin[8 + 22] = (byte) 0xE9;
        refused(latin, "not UTF-8");
        refused("{\"\\ud800\":{}}", 0, "not valid Unicode");
    }

    @Test
    void refusesDeepNestingWithoutDescending() {
        refused("{\"w\":" + "[".repeat(1_000_000) + "]".repeat(1_000_000) + "}", 0, "expected an object");
        refused("{\"w\":{\"x\":" + "{\"x\":".repeat(100_000) + "}", 0, "unknown field 'x'");
    }

    @Test
    void refusesBadMetadata() {
        refused("{\"__metadata__\":1}", 0, "__metadata__", "got a number");
        refused("{\"__metadata__\":{\"k\":1}}", 0, "'k' must be a text");
        refused("{\"__metadata__\":{\"k\":null}}", 0, "got null");
        refused("{\"__metadata__\":{\"k\":\"\",\"k\":\"\"}}", 0, "'k' twice");
        refused("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ twice");
    }

    @Test
    void refusesBadEntries() {
        refusedEntry("3", "tensor 'w'", "expected an object", "got a number");
        refusedEntry("{}", "lacks dtype");
        refusedEntry("{\"dtype\":\"U8\",\"data_offsets\":[0,8]}", "lacks shape");
        refusedEntry("{\"dtype\":\"U8\",\"shape\":[8]}", "lacks data_offsets");
        refusedEntry("{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8],\"more\":1}", "unknown field 'more'");
        refusedEntry("{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}", "dtype twice");
        refusedEntry("{\"dtype\":8,\"shape\":[8],\"data_offsets\":[0,8]}", "expected a text as dtype");
        refusedEntry("{\"dtype\":\"F8_E4M3\",\"shape\":[8],\"data_offsets\":[0,8]}", "unknown dtype 'F8_E4M3'", "BF16");
        refusedEntry("{\"dtype\":\"f32\",\"shape\":[2],\"data_offsets\":[0,8]}", "unknown dtype 'f32'");
    }

    @Test
    void refusesBadShapes() {
        refusedEntry("{\"dtype\":\"U8\",\"shape\":8,\"data_offsets\":[0,8]}", "expected a list as shape");
        refusedEntry("{\"dtype\":\"U8\",\"shape\":[-8],\"data_offsets\":[0,8]}", "negative", "'-8'");
        refusedEntry("{\"dtype\":\"U8\",\"shape\":[8.0],\"data_offsets\":[0,8]}", "'8.0'", "whole numbers");
        refusedEntry("{\"dtype\":\"U8\",\"shape\":[\"8\"],\"data_offsets\":[0,8]}", "got a text");
        refusedEntry("{\"dtype\":\"U8\",\"shape\":[[8]],\"data_offsets\":[0,8]}", "got a list");
        refusedEntry("{\"dtype\":\"U8\",\"shape\":[9223372036854775808],\"data_offsets\":[0,8]}", "below 2^63");
        refusedEntry("{\"dtype\":\"U8\",\"shape\":[2147483648],\"data_offsets\":[0,8]}", "extent 2147483648 of axis 0",
                "2147483647");
        refusedEntry("{\"dtype\":\"F64\",\"shape\":[2147483647,2147483647,2],\"data_offsets\":[0,8]}", "beyond 2^63");
        refusedEntry("{\"dtype\":\"U8\",\"shape\":[" + "1,".repeat(64) + "8],\"data_offsets\":[0,8]}", "more than 64");
        refusedEntry("{\"dtype\":\"U8\",\"shape\":[7],\"data_offsets\":[0,8]}", "its bytes are 8 but U8[7] takes 7");
        refusedEntry("{\"dtype\":\"F16\",\"shape\":[8],\"data_offsets\":[0,8]}", "F16[8] takes 16");
    }

    @Test
    void refusesBadOffsets() {
        refusedEntry("{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8,8]}", "[begin, end]", "3 numbers");
        refusedEntry("{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[]}", "0 numbers");
        refusedEntry("{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[8,0]}", "begin at 8 after their end 0");
        refusedEntry("{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[-1,7]}", "negative");
        refusedEntry("{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[0,9]}", "end at 9", "holds 8");
        refusedEntry("{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[9223372036854775806,9223372036854775807]}",
                "end at 9223372036854775807");
    }

    @Test
    void refusesOverlapsHolesAndDuplicates() {
        refused("{" + entry("a", "U8", "[4]", 0, 4) + "," + entry("b", "U8", "[5]", 3, 8) + "}", 8, "tensor 'b'",
                "inside of tensor 'a'");
        refused("{" + entry("a", "U8", "[8]", 0, 8) + "," + entry("b", "U8", "[8]", 0, 8) + "}", 8, "overlapping");
        refused("{" + entry("a", "U8", "[0]", 4, 4) + "," + entry("b", "U8", "[8]", 0, 8) + "}", 8, "tensor 'a'", "overlapping");
        refused("{" + entry("a", "U8", "[3]", 0, 3) + "," + entry("b", "U8", "[4]", 4, 8) + "}", 8, "tensor 'b'", "holes");
        refused("{" + entry("a", "U8", "[7]", 1, 8) + "}", 8, "holes");
        refused("{" + entry("a", "U8", "[4]", 0, 4) + "," + entry("a", "U8", "[4]", 4, 8) + "}", 8, "tensor 'a'", "listed twice");
        refused("{}", 8, "after the last tensor");
    }

    @Test
    void messagesStayOneShortLineWhateverTheName() {
        refused("{\"a\\nb\":3}", 0, "tensor 'a\\u000ab'");
        refused("{\"" + "n".repeat(10_000) + "\":3}", 0, "n...'");
    }

    @Test
    void openNamesTheTroubleWithThePath() throws Exception {
        Path missing = folder.resolve("none.safetensors");
        assertTrue(assertThrows(CheckpointException.class, () -> SafeTensors.open(missing)).getMessage()
                .contains("no such file"));
        assertTrue(assertThrows(CheckpointException.class, () -> SafeTensors.open(folder)).getMessage().contains("is a folder"));
        Path empty = Files.createFile(folder.resolve("empty.safetensors"));
        assertTrue(assertThrows(CheckpointException.class, () -> SafeTensors.open(empty)).getMessage().startsWith(empty + ": "));
    }

    @Test
    void tensorsEndWithTheirFile() throws Exception {
        Path path = folder.resolve("a.safetensors");
        SafeTensors.write(path, Map.of("w", Tensor.of(Shape.of(2), 1f, 2f)), Map.of());
        SafeTensors f = SafeTensors.open(path);
        Tensor w = f.tensor("w");
        assertArrayEquals(new float[] {1, 2}, w.floats());
        f.close();
        f.close();
        assertThrows(IllegalStateException.class, w::floats);
    }

    /** The file is sparse and larger than an int can address. */
    @Test
    void opensFilesAboveTwoGigabytes() throws Exception {
        long n = 3L << 30;
        byte[] head = file("{" + entry("big", "U8", "[3,1073741824]", 0, n) + "}", 0);
        Path path = folder.resolve("big.safetensors");
        try (var channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW,
                StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            channel.write(ByteBuffer.wrap(head));
            channel.write(ByteBuffer.wrap(new byte[] {42}), head.length + n - 1);
        }
        try (SafeTensors f = SafeTensors.open(path)) {
            assertEquals(42, f.tensor("big").get(n - 1));
        }
    }

    @Test
    void writesTheSameAlignedBytesWhateverTheOrder() throws Exception {
        Map<String, Tensor> one = new LinkedHashMap<>();
        one.put("u", new Tensor(DType.U8, Shape.of(3), MemorySegment.ofArray(new byte[] {1, 2, 3})));
        one.put("z", Tensor.of(Shape.of(1), 1.0));
        one.put("a", Tensor.of(Shape.of(1), 2f));
        Map<String, Tensor> two = new LinkedHashMap<>();
        List.of("a", "z", "u").forEach(k -> two.put(k, one.get(k)));
        Path p = folder.resolve("p.safetensors");
        Path q = folder.resolve("q.safetensors");
        SafeTensors.write(p, one, Map.of("b", "1", "a", "2"));
        SafeTensors.write(q, two, Map.of("a", "2", "b", "1"));
        byte[] bytes = Files.readAllBytes(p);
        assertArrayEquals(bytes, Files.readAllBytes(q));
        assertEquals(0, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong() % 8);
        try (SafeTensors f = SafeTensors.open(p)) {
            assertEquals(List.of("z", "a", "u"), List.copyOf(f.tensors().keySet()));
        }
    }

    @Test
    void writeReplacesWholeOrLeavesTheOldFile() throws Exception {
        Path path = folder.resolve("w.safetensors");
        SafeTensors.write(path, Map.of("w", Tensor.scalar(1)), Map.of());
        SafeTensors.write(path, Map.of("w", Tensor.scalar(2)), Map.of());
        byte[] before = Files.readAllBytes(path);
        Tensor gone;
        try (var arena = Arena.ofConfined()) {
            gone = new Tensor(DType.F32, Shape.of(1), arena.allocate(4));
        }
        assertThrows(IllegalStateException.class, () -> SafeTensors.write(path, Map.of("w", gone), Map.of()));
        assertArrayEquals(before, Files.readAllBytes(path));
        try (var files = Files.list(folder)) {
            assertEquals(List.of(path), files.toList());
        }
    }

    @Test
    void writeSaysWhyItCannot() throws IOException {
        Map<String, Tensor> w = Map.of("w", Tensor.scalar(1));
        Path deep = folder.resolve("none").resolve("w.safetensors");
        assertTrue(assertThrows(CheckpointException.class, () -> SafeTensors.write(deep, w, Map.of())).getMessage()
                .contains("folder " + folder.resolve("none") + " does not exist"));
        assertFalse(Files.exists(folder.resolve("none")));
        assertTrue(assertThrows(CheckpointException.class, () -> SafeTensors.write(folder, w, Map.of())).getMessage()
                .contains("is a folder"));
        Path path = folder.resolve("w.safetensors");
        Map<String, Tensor> reserved = Map.of("__metadata__", Tensor.scalar(1));
        assertTrue(assertThrows(CheckpointException.class, () -> SafeTensors.write(path, reserved, Map.of())).getMessage()
                .contains("cannot be the name"));
        assertThrows(CheckpointException.class, () -> SafeTensors.write(path, Map.of("\ud800", Tensor.scalar(1)), Map.of()));
        Path proc = Path.of("/proc/w.safetensors");     // not even root can write there
        assertTrue(assertThrows(CheckpointException.class, () -> SafeTensors.write(proc, w, Map.of())).getMessage()
                .contains("cannot be written"));
    }
}
