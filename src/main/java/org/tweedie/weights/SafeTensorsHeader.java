// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;

/**
 * The header of a safetensors file: 8 bytes of little-endian length, then that many bytes of JSON, then the tensors' bytes. It is
 * read and checked as a whole: a header that {@link #read} returns describes its file byte for byte. The file is not trusted:
 * nothing is allocated by a size that it states, except the header itself, which must be within the file.
 */
record SafeTensorsHeader(Map<String, Entry> entries, Map<String, String> metadata, long dataStart) {
    /** The longest header that the format allows, in bytes. */
    static final long LONGEST = 100_000_000;
    private static final int MOST_AXES = 64;    // the limit of NumPy and PyTorch
    static final String METADATA = "__metadata__";
    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** One tensor, whose bytes are [begin, end) counted from the end of the header. */
    record Entry(DType dtype, Shape shape, long begin, long end) {
    }

    /**
     * Reads and checks a header.
     *
     * @param file the name that messages give the file
     * @throws CheckpointException at the first fault
     */
    static SafeTensorsHeader read(String file, MemorySegment bytes) throws CheckpointException {
        long size = bytes.byteSize();
        if (size < 8) {
            throw CheckpointException.of(file, "the file has " + size
                    + " bytes; a safetensors file has at least 8; download it again");
        }
        long length = bytes.get(LENGTH, 0);
        if (length < 0 || length > LONGEST) {
            throw CheckpointException.of(file, "states a header of " + Long.toUnsignedString(length) + " bytes; at most "
                    + LONGEST
                    + " are allowed; this is probably not a safetensors file");
        }
        if (length > size - 8) {
            throw CheckpointException.of(file, "states a header of " + length + " bytes but only " + (size - 8)
                    + " follow; the file is cut off or not a safetensors file, download it again");
        }
        if (length == 0 || bytes.get(ValueLayout.JAVA_BYTE, 8) != '{') {
            throw CheckpointException.of(file, "the header does not begin with '{'; this is not a safetensors file");
        }
        byte[] json = bytes.asSlice(8, length).toArray(ValueLayout.JAVA_BYTE);
        SafeTensorsHeader header = parse(file, json);
        header.checkLayout(file, size - 8 - length);
        return header;
    }

    private static SafeTensorsHeader parse(String file, byte[] json) throws CheckpointException {
        // this decoder reports malformed input; the name of a charset alone would not
        var utf8 = StandardCharsets.UTF_8.newDecoder();
        try (JsonReader in = new JsonReader(new InputStreamReader(new ByteArrayInputStream(json), utf8))) {
            in.setStrictness(Strictness.STRICT);
            SafeTensorsHeader header = new Parser(file, in).header(8L + json.length);
            in.peek();      // it throws unless only white space follows
            return header;
        } catch (CheckpointException e) {
            throw e;
        } catch (CharacterCodingException e) {
            throw new CheckpointException(file + ": the header is not UTF-8; the file is damaged or not a safetensors file", e);
        } catch (IOException e) {
            throw new CheckpointException(file + ": the header is not valid JSON" + Quote.place(e)
                    + "; the file is damaged or was not written as safetensors", e);
        }
    }

    /** Checks that the tensors, in order of offset, cover the data exactly: no gap, no overlap, nothing after the last. */
    private void checkLayout(String file, long dataBytes) throws CheckpointException {
        List<Map.Entry<String, Entry>> sorted = new ArrayList<>(entries.entrySet());
        sorted.sort(Comparator.comparingLong((Map.Entry<String, Entry> e) -> e.getValue().begin())
                .thenComparingLong(e -> e.getValue().end()));
        long at = 0;
        String before = null;
        for (var e : sorted) {
            Entry t = e.getValue();
            if (t.end() > dataBytes) {
                throw CheckpointException.of(file, e.getKey(), "its bytes end at " + t.end() + " but the file holds " + dataBytes
                        + " bytes of tensors; the file is cut off, download it again");
            }
            if (t.begin() < at) {
                throw CheckpointException.of(file, e.getKey(), "its bytes begin at " + t.begin() + ", inside of tensor "
                        + Quote.of(before)
                        + ", which ends at " + at + "; overlapping tensors are not allowed, write the file anew");
            }
            if (t.begin() > at) {
                throw CheckpointException.of(file, e.getKey(), "its bytes begin at " + t.begin()
                        + " but the tensors before it end at " + at
                        + "; holes are not allowed, write the file anew");
            }
            at = t.end();
            before = e.getKey();
        }
        if (at != dataBytes) {
            throw CheckpointException.of(file, "the tensors end at byte " + at + " of " + dataBytes
                    + "; bytes after the last tensor are not allowed, download the file again or write it anew");
        }
    }

    /** Tells whether the text can be written as UTF-8, that is, has no half of a surrogate pair alone. */
    static boolean isUnicode(String text) {
        return text.codePoints().noneMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    }

    /**
     * Reads the one form of JSON that a header may have. It never skips or descends into a value that it does not know, so depth
     * and work are bounded by the format and not by the file.
     */
    private record Parser(String file, JsonReader in) {

        SafeTensorsHeader header(long dataStart) throws IOException {
            Map<String, Entry> entries = new LinkedHashMap<>();
            Map<String, String> metadata = null;
            in.beginObject();
            while (in.hasNext()) {
                String name = in.nextName();
                if (!isUnicode(name)) {
                    throw bad(name, "its name is not valid Unicode; write the file anew");
                }
                if (name.equals(METADATA)) {
                    if (metadata != null) {
                        throw CheckpointException.of(file, "the header has " + METADATA + " twice; write the file anew");
                    }
                    metadata = metadata();
                } else if (entries.containsKey(name)) {
                    throw bad(name, "is listed twice in the header; write the file anew");
                } else {
                    entries.put(name, entry(name));
                }
            }
            in.endObject();
            return new SafeTensorsHeader(entries, metadata == null ? Map.of() : metadata, dataStart);
        }

        private Map<String, String> metadata() throws IOException {
            if (in.peek() != JsonToken.BEGIN_OBJECT) {
                throw CheckpointException.of(file, METADATA + " must be an object of texts, got " + kind(in.peek())
                        + "; write the file anew");
            }
            Map<String, String> out = new LinkedHashMap<>();
            in.beginObject();
            while (in.hasNext()) {
                String key = in.nextName();
                if (in.peek() != JsonToken.STRING) {
                    throw CheckpointException.of(file, METADATA + " entry " + Quote.of(key) + " must be a text, got "
                            + kind(in.peek())
                            + "; write the file anew");
                }
                if (out.put(key, in.nextString()) != null) {
                    throw CheckpointException.of(file, METADATA + " has " + Quote.of(key) + " twice; write the file anew");
                }
            }
            in.endObject();
            return out;
        }

        private Entry entry(String name) throws IOException {
            expect(name, JsonToken.BEGIN_OBJECT, "an object with dtype, shape and data_offsets");
            DType dtype = null;
            List<Long> shape = null;
            List<Long> offsets = null;
            in.beginObject();
            while (in.hasNext()) {
                String field = in.nextName();
                switch (field) {
                    case "dtype" -> dtype = once(name, field, dtype, dtype(name));
                    case "shape" -> shape = once(name, field, shape, numbers(name, field));
                    case "data_offsets" -> offsets = once(name, field, offsets, numbers(name, field));
                    default -> throw bad(name, "has the unknown field " + Quote.of(field)
                            + ", expected dtype, shape and data_offsets; write the file anew");
                }
            }
            in.endObject();
            if (dtype == null || shape == null || offsets == null) {
                throw bad(name, "lacks " + (dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets")
                        + "; the file is damaged");
            }
            return checked(name, dtype, shape, offsets);
        }

        private <T> T once(String name, String field, T old, T now) throws CheckpointException {
            if (old != null) {
                throw bad(name, "has " + field + " twice; write the file anew");
            }
            return now;
        }

        private DType dtype(String name) throws IOException {
            expect(name, JsonToken.STRING, "a text as dtype");
            String text = in.nextString();
            for (DType d : DType.values()) {
                if (d.name().equals(text)) {
                    return d;
                }
            }
            throw bad(name, "has the unknown dtype " + Quote.of(text) + "; the known ones are "
                    + Arrays.toString(DType.values()) + "; convert it to one of them");
        }

        /** Reads a short list of whole numbers from 0 to 2^63 - 1. */
        private List<Long> numbers(String name, String field) throws IOException {
            expect(name, JsonToken.BEGIN_ARRAY, "a list as " + field);
            List<Long> out = new ArrayList<>(4);
            in.beginArray();
            while (in.hasNext()) {
                expect(name, JsonToken.NUMBER, "whole numbers in " + field);
                if (out.size() == MOST_AXES) {
                    throw bad(name, field + " has more than " + MOST_AXES + " numbers; the file is damaged");
                }
                String text = in.nextString();
                if (text.startsWith("-")) {
                    throw bad(name, field + " has the negative number " + Quote.of(text) + "; the file is damaged");
                }
                try {
                    out.add(Long.parseLong(text));
                } catch (NumberFormatException notWhole) {
                    throw bad(name, field + " has " + Quote.of(text)
                            + ", expected whole numbers below 2^63; the file is damaged");
                }
            }
            in.endArray();
            return out;
        }

        private Entry checked(String name, DType dtype, List<Long> shape, List<Long> offsets) throws CheckpointException {
            if (offsets.size() != 2) {
                throw bad(name, "data_offsets must be [begin, end], got " + offsets.size() + " numbers; the file is damaged");
            }
            long begin = offsets.get(0);
            long end = offsets.get(1);
            if (begin > end) {
                throw bad(name, "its bytes begin at " + begin + " after their end " + end + "; the file is damaged");
            }
            int[] dims = new int[shape.size()];
            long bytes = dtype.bytes();
            for (int i = 0; i < dims.length; i++) {
                if (shape.get(i) > Integer.MAX_VALUE) {
                    throw bad(name, "extent " + shape.get(i) + " of axis " + i + " is larger than the " + Integer.MAX_VALUE
                            + " this program can address; split the tensor");
                }
                dims[i] = shape.get(i).intValue();
                if (dims[i] != 0 && bytes > Long.MAX_VALUE / dims[i]) {
                    throw bad(name, "the size of its shape is beyond 2^63 bytes; the file is damaged");
                }
                bytes *= dims[i];
            }
            if (end - begin != bytes) {
                throw bad(name, "its bytes are " + (end - begin) + " but " + dtype + Shape.of(dims) + " takes " + bytes
                        + "; the file is damaged");
            }
            return new Entry(dtype, Shape.of(dims), begin, end);
        }

        private CheckpointException bad(String name, String problem) {
            return CheckpointException.of(file, name, problem);
        }

        private void expect(String name, JsonToken token, String what) throws IOException {
            if (in.peek() != token) {
                throw bad(name, "expected " + what + ", got " + kind(in.peek()) + "; the file is damaged");
            }
        }

        private static String kind(JsonToken token) {
            return switch (token) {
                case BEGIN_OBJECT -> "an object";
                case BEGIN_ARRAY -> "a list";
                case STRING -> "a text";
                case NUMBER -> "a number";
                case BOOLEAN -> "true or false";
                case NULL -> "null";
                default -> "nothing";
            };
        }
    }
}
