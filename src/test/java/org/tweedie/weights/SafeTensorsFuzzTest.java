// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.GenerationMode;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.statistics.Statistics;
import org.tweedie.program.Tensor;

/**
 * Damages small valid files at random. Each must be refused by the one exception made for it, or every tensor that it lists can
 * be read and together they are the file. Nothing may be allocated beyond a small multiple of the file's size. A failure prints
 * the bytes.
 */
class SafeTensorsFuzzTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    // the JVM's own first-time work is part of some try; a false size in a header is above this
    private static final long ONCE = 16 << 20;
    private static final String[] VALID = {
        "{}",
        "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[0,12]},"
            + "\"b.weight\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[12,16]}}  ",
        "{\"x\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[8,16]},"
            + "\"y\":{\"shape\":[4,2,1],\"data_offsets\":[0,8],\"dtype\":\"U8\"}}",
        "{\"\\u00e9\":{\"dtype\":\"BF16\",\"shape\":[0,5],\"data_offsets\":[0,0]},\"z\":{\"dtype\":\"BOOL\",\"shape\":[16],"
            + "\"data_offsets\":[0,16]}}",
    };
    private static final int[] DATA = {0, 16, 16, 16};
    private static final String[] NUMBERS = {"0", "1", "2", "3", "4", "7", "8", "12", "15", "16", "17", "-1", "-0", "1.0", "1e3",
        "1e999999999",
        "2147483647", "2147483648", "4294967296", "4611686018427387904", "9223372036854775807", "9223372036854775808",
        "18446744073709551616", "null", "true", "\"8\"", "[]", "{}", "NaN", "00", "9".repeat(2000)};
    private static final String[] PIECES = {
        "\"dtype\":\"U8\",", "\"shape\":[16],", "\"data_offsets\":[0,16],", "\"__metadata__\":{},", "\"a\":",
        "[", "]", "{", "}", ",", ":", "\"", "\\", "\\ud800", "\\u0000", "\n", "\u0000", "/*c*/", "//\n", "[".repeat(3000),
        "{\"a\":".repeat(3000),
        "1,".repeat(3000), "é", "\ufeff", "\"I8\"", "'", "=", ";"};
    private static final Pattern LAYOUT = Pattern.compile("takes|cut off|overlapping|holes|after the last|listed twice");
    private static final Pattern NUMBER = Pattern.compile("\\d+");
    private static final Pattern ENTRY = Pattern.compile("\"[^\"]+\":\\{[^{}]*\\}");

    @Property(tries = 120_000, seed = "20231200852", generation = GenerationMode.RANDOMIZED, shrinking = ShrinkingMode.OFF,
            edgeCases = EdgeCasesMode.NONE)
    void damagedFilesAreRefusedOrSound(@ForAll long seed) {
        byte[] bytes = damaged(new Random(seed));
        long before = THREADS.getCurrentThreadAllocatedBytes();
        String outcome;
        try {
            SafeTensors file = SafeTensorsTest.read(bytes);
            checkSound(file, bytes);
            outcome = "sound";
        } catch (CheckpointException e) {
            assertEquals(1, e.getMessage().lines().count(), e.getMessage());
            assertTrue(e.getMessage().length() < 1000, e.getMessage());
            outcome = LAYOUT.matcher(e.getMessage()).find() ? "layout refused" : "header refused";
        } catch (RuntimeException | Error e) {
            throw new AssertionError("seed " + seed + ": " + HexFormat.of().formatHex(bytes), e);
        }
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < ONCE + 100L * bytes.length,
                "seed " + seed + ": allocated " + allocated + " for " + bytes.length + " bytes");
        Statistics.collect(outcome);
        Statistics.coverage(c -> {
            c.check("header refused").percentage(p -> p > 30);
            c.check("layout refused").percentage(p -> p > 5);
            c.check("sound").percentage(p -> p > 2);
        });
    }

    private static void checkSound(SafeTensors file, byte[] bytes) {
        long data = 0;
        for (Tensor t : file.tensors().values()) {
            data += t.data().byteSize();
            for (long i = 0; i < t.size(); i++) {
                t.get(i);
            }
        }
        long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
        assertEquals(bytes.length, 8 + header + data);
    }

    /**
     * Makes one to three damages. In half of the cases the length of the header is then corrected, so that the JSON is reached.
     */
    private static byte[] damaged(Random random) {
        if (random.nextInt(4) == 0) {
            return laidOut(random);
        }
        int which = random.nextInt(VALID.length);
        String header = VALID[which];
        int data = DATA[which];
        boolean binary = random.nextInt(4) == 0;
        int times = 1 + random.nextInt(3);
        for (int i = 0; i < times && !binary; i++) {
            header = edited(header, random);
        }
        if (!binary && random.nextInt(4) == 0) {
            data = Math.max(0, data + random.nextInt(-9, 10));
        }
        byte[] bytes = SafeTensorsTest.file(header, data);
        if (random.nextInt(8) == 0) {
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length(bytes.length, random));
        }
        for (int i = 0; i < times && binary; i++) {
            bytes = flipped(bytes, random);
        }
        return bytes;
    }

    /** Makes correct entries at places that may overlap, leave holes or end a byte or two beyond the file. */
    private static byte[] laidOut(Random random) {
        StringBuilder header = new StringBuilder("{");
        int at = 0;
        for (int i = 0, n = 1 + random.nextInt(3); i < n; i++) {
            int begin = Math.max(0, at + (random.nextInt(3) == 0 ? random.nextInt(-2, 3) : 0));
            int size = random.nextInt(6);
            header.append(i == 0 ? "" : ",").append("\"t").append(i).append("\":{\"dtype\":\"U8\",\"shape\":[").append(size)
                    .append("],\"data_offsets\":[").append(begin).append(',').append(begin + size).append("]}");
            at = begin + size;
        }
        int data = Math.max(0, at + (random.nextInt(3) == 0 ? random.nextInt(-2, 3) : 0));
        return SafeTensorsTest.file(header.append('}').toString(), data);
    }

    private static long length(int size, Random random) {
        return switch (random.nextInt(6)) {
            case 0 -> random.nextLong();
            case 1 -> random.nextInt();
            case 2 -> 100_000_000L + random.nextInt(-1, 2);
            case 3 -> size - 8L + random.nextInt(-2, 3);
            case 4 -> Long.MIN_VALUE + random.nextInt(3);
            default -> random.nextInt(size + 9);
        };
    }

    private static byte[] flipped(byte[] bytes, Random random) {
        int n = bytes.length;
        switch (random.nextInt(4)) {
            case 0 -> {
                return Arrays.copyOf(bytes, random.nextInt(n + 1));
            }
            case 1 -> {
                return Arrays.copyOf(bytes, n + random.nextInt(64));
            }
            case 2 -> bytes = bytes.length == 0 ? new byte[1] : bytes.clone();
            default -> {
                byte[] longer = new byte[n + 1];
                int at = random.nextInt(n + 1);
                System.arraycopy(bytes, 0, longer, 0, at);
                System.arraycopy(bytes, at, longer, at + 1, n - at);
                longer[at] = (byte) random.nextInt(256);
                return longer;
            }
        }
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        return bytes;
    }

    private static String edited(String header, Random random) {
        return switch (random.nextInt(6)) {
            case 0, 1 -> replaced(header, NUMBER, NUMBERS[random.nextInt(NUMBERS.length)], random);
            case 2 -> inserted(header, PIECES[random.nextInt(PIECES.length)], random);
            case 3 -> inserted(header, String.valueOf((char) random.nextInt(32, 127)), random);
            case 4 -> {
                int from = random.nextInt(header.length() + 1);
                int to = Math.min(header.length(), from + random.nextInt(1, 12));
                yield header.substring(0, from) + header.substring(to);
            }
            default -> {
                MatchResult[] all = ENTRY.matcher(header).results().toArray(MatchResult[]::new);
                yield all.length == 0 ? header : header.substring(0, 1) + all[random.nextInt(all.length)].group() + ","
                        + header.substring(1);
            }
        };
    }

    private static String inserted(String header, String piece, Random random) {
        int at = random.nextInt(header.length() + 1);
        return header.substring(0, at) + piece + header.substring(at);
    }

    private static String replaced(String header, Pattern what, String by, Random random) {
        MatchResult[] all = what.matcher(header).results().toArray(MatchResult[]::new);
        if (all.length == 0) {
            return header;
        }
        MatchResult m = all[random.nextInt(all.length)];
        return header.substring(0, m.start()) + by + header.substring(m.end());
    }
}
