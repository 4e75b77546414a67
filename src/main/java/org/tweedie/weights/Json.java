// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;

/**
 * A JSON object from a file, with getters whose errors name the file, the key, what was expected and what is there. A key that is
 * absent or null is an error unless the caller passes a default.
 *
 * @param where the file's name in messages, for example {@code unet/config.json}
 */
public record Json(String where, JsonObject object) {
    private static final long LARGEST = 64L << 20;
    private static final int DEEPEST = 64;

    /**
     * Reads a file.
     *
     * @throws IOException when the file cannot be read, is not UTF-8, is not one JSON object, or has a key twice
     */
    public static Json read(Path file, String where) throws IOException {
        byte[] bytes;
        try {
            if (Files.size(file) > LARGEST) {
                throw new CheckpointException(where + ": has " + Files.size(file) + " bytes; at most " + LARGEST
                        + " are read; this is not a configuration file");
            }
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new CheckpointException(where + ": no such file (looked for " + file + "); the download may be incomplete", e);
        }
        return parse(bytes, where);
    }

    /**
     * Parses the bytes of a file.
     *
     * @throws IOException as {@link #read} does
     */
    static Json parse(byte[] bytes, String where) throws IOException {
        var utf8 = StandardCharsets.UTF_8.newDecoder();
        try (JsonReader in = new JsonReader(new InputStreamReader(new ByteArrayInputStream(bytes), utf8))) {
            in.setStrictness(Strictness.STRICT);
            in.setNestingLimit(DEEPEST);
            if (in.peek() != JsonToken.BEGIN_OBJECT) {
                throw new CheckpointException(where + ": expected a JSON object, '{...}'; download the file again");
            }
            JsonElement value = value(in, where);
            in.peek();      // it throws unless only white space follows
            return new Json(where, value.getAsJsonObject());
        } catch (CheckpointException e) {
            throw e;
        } catch (CharacterCodingException e) {
            throw new CheckpointException(where + ": is not UTF-8 text; download the file again", e);
        } catch (IOException e) {
            throw new CheckpointException(where + ": is not valid JSON" + Quote.place(e) + "; download the file again", e);
        }
    }

    private static JsonElement value(JsonReader in, String where) throws IOException {
        switch (in.peek()) {
            case BEGIN_OBJECT -> {
                JsonObject out = new JsonObject();
                in.beginObject();
                while (in.hasNext()) {
                    String key = in.nextName();
                    if (out.has(key)) {
                        throw new CheckpointException(where + ": has the key " + Quote.of(key) + " twice; remove one");
                    }
                    out.add(key, value(in, where));
                }
                in.endObject();
                return out;
            }
            case BEGIN_ARRAY -> {
                JsonArray out = new JsonArray();
                in.beginArray();
                while (in.hasNext()) {
                    out.add(value(in, where));
                }
                in.endArray();
                return out;
            }
            case STRING -> {
                return new JsonPrimitive(in.nextString());
            }
            case NUMBER -> {
                return new JsonPrimitive(number(in.nextString(), where));
            }
            case BOOLEAN -> {
                return new JsonPrimitive(in.nextBoolean());
            }
            default -> {
                in.nextNull();
                return JsonNull.INSTANCE;
            }
        }
    }

    private static BigDecimal number(String text, String where) throws CheckpointException {
        try {
            return new BigDecimal(text);
        } catch (NumberFormatException e) {
            throw new CheckpointException(where + ": the number " + Quote.of(text) + " is out of range; correct the file", e);
        }
    }

    /** Tells whether the key exists and is not null. */
    public boolean has(String key) {
        return object.has(key) && !object.get(key).isJsonNull();
    }

    public String text(String key) {
        return need(key, "a text", Json::asText);
    }

    public String text(String key, String absent) {
        return has(key) ? text(key) : absent;
    }

    public boolean flag(String key) {
        return need(key, "true or false", e -> e instanceof JsonPrimitive p && p.isBoolean() ? p.getAsBoolean() : null);
    }

    public boolean flag(String key, boolean absent) {
        return has(key) ? flag(key) : absent;
    }

    public int integer(String key) {
        return need(key, "a whole number", Json::asInteger);
    }

    public int integer(String key, int absent) {
        return has(key) ? integer(key) : absent;
    }

    public double number(String key) {
        return need(key, "a finite number", Json::asNumber);
    }

    public double number(String key, double absent) {
        return has(key) ? number(key) : absent;
    }

    public List<Integer> integers(String key) {
        return need(key, "a list of whole numbers", e -> list(e, Json::asInteger));
    }

    /** Returns a list of n whole numbers; one number stands for n equal ones. */
    public List<Integer> integers(String key, int n) {
        String what = "a whole number or a list of " + n + " whole numbers";
        return need(key, what, e -> {
            if (asInteger(e) instanceof Integer one) {
                return Collections.nCopies(n, one);
            }
            List<Integer> all = list(e, Json::asInteger);
            return all != null && all.size() == n ? all : null;
        });
    }

    public double[] numbers(String key) {
        return need(key, "a list of finite numbers", e -> list(e, Json::asNumber)).stream().mapToDouble(d -> d).toArray();
    }

    public List<String> texts(String key) {
        return need(key, "a list of texts", e -> list(e, Json::asText));
    }

    /**
     * Refuses a value that is not supported.
     *
     * @throws IllegalArgumentException unless the key is absent, null or has the supported value
     */
    public void only(String key, Object supported) {
        if (!has(key)) {
            return;
        }
        JsonElement e = object.get(key);
        boolean same = supported instanceof Number n ? Double.valueOf(n.doubleValue()).equals(asNumber(e))
                : e instanceof JsonPrimitive p && p.getAsString().equals(supported.toString());
        if (!same) {
            throw bad(key, "expected " + supported + " (nothing else is supported), got " + Quote.of(e.toString())
                    + "; use another checkpoint");
        }
    }

    /**
     * Makes an error about a value that has the right type but cannot be used.
     *
     * @param problem says what was expected and got
     */
    public IllegalArgumentException bad(String key, String problem) {
        return new IllegalArgumentException(where + ": '" + key + "' " + problem);
    }

    private <T> T need(String key, String what, Function<JsonElement, T> read) {
        if (!object.has(key)) {
            throw bad(key, "is missing, expected " + what + "; the file may belong to another kind of model");
        }
        T value = read.apply(object.get(key));
        if (value == null) {
            throw bad(key, "expected " + what + ", got " + Quote.of(object.get(key).toString()) + "; correct the file");
        }
        return value;
    }

    private static String asText(JsonElement e) {
        return e instanceof JsonPrimitive p && p.isString() ? p.getAsString() : null;
    }

    private static Integer asInteger(JsonElement e) {
        if (!(e instanceof JsonPrimitive p) || !p.isNumber()) {
            return null;
        }
        try {
            return Integer.valueOf(p.getAsString());
        } catch (NumberFormatException notWhole) {
            return null;        // the caller says what was expected and what is there
        }
    }

    private static Double asNumber(JsonElement e) {
        if (!(e instanceof JsonPrimitive p) || !p.isNumber()) {
            return null;
        }
        double d = Double.parseDouble(p.getAsString());
        return Double.isFinite(d) ? d : null;
    }

    private static <T> List<T> list(JsonElement e, Function<JsonElement, T> read) {
        if (!(e instanceof JsonArray a)) {
            return null;
        }
        List<T> out = new ArrayList<>();
        for (JsonElement item : a) {
            T value = read.apply(item);
            if (value == null) {
                return null;
            }
            out.add(value);
        }
        return out;
    }
}
