// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;

/** A module's config.json, read key by key. {@code file} is the name that errors give, as in {@code unet/config.json}. */
public record Config(String file, JsonObject json) {
    /** Whether the key is there and not null. */
    public boolean has(String key) {
        return json.has(key) && !json.get(key).isJsonNull();
    }

    private JsonElement required(String key) {
        if (!has(key)) {
            throw new IllegalArgumentException(file + ": '" + key + "' is missing");
        }
        return json.get(key);
    }

    private IllegalArgumentException wrong(String key, String expected) {
        return new IllegalArgumentException(file + ": '" + key + "' expected " + expected + ", got " + json.get(key));
    }

    private static boolean isWhole(JsonElement e) {
        return e.isJsonPrimitive() && e.getAsJsonPrimitive().isNumber() && e.getAsDouble() == (int) e.getAsDouble();
    }

    public int integer(String key) {
        JsonElement e = required(key);
        if (!isWhole(e)) {
            throw wrong(key, "a whole number");
        }
        return e.getAsInt();
    }

    public int integer(String key, int absent) {
        return has(key) ? integer(key) : absent;
    }

    public List<Integer> integers(String key) {
        if (!(required(key) instanceof JsonArray a)) {
            throw wrong(key, "a list of whole numbers");
        }
        List<Integer> out = new ArrayList<>();
        for (JsonElement e : a) {
            if (!isWhole(e)) {
                throw wrong(key, "a list of whole numbers");
            }
            out.add(e.getAsInt());
        }
        return out;
    }

    /** A list, or one number that stands for each of {@code count} entries. */
    public List<Integer> integers(String key, int count) {
        List<Integer> out = required(key).isJsonArray() ? integers(key) : java.util.Collections.nCopies(count, integer(key));
        if (out.size() != count) {
            throw wrong(key, count + " whole numbers");
        }
        return out;
    }

    public List<String> strings(String key) {
        if (!(required(key) instanceof JsonArray a)) {
            throw wrong(key, "a list of names");
        }
        List<String> out = new ArrayList<>();
        for (JsonElement e : a) {
            if (!e.isJsonPrimitive() || !e.getAsJsonPrimitive().isString()) {
                throw wrong(key, "a list of names");
            }
            out.add(e.getAsString());
        }
        return out;
    }

    public double number(String key, double absent) {
        if (!has(key)) {
            return absent;
        }
        JsonElement e = json.get(key);
        if (!e.isJsonPrimitive() || !e.getAsJsonPrimitive().isNumber()) {
            throw wrong(key, "a number");
        }
        return e.getAsDouble();
    }

    public String string(String key, String absent) {
        if (!has(key)) {
            return absent;
        }
        JsonElement e = json.get(key);
        if (!e.isJsonPrimitive() || !e.getAsJsonPrimitive().isString()) {
            throw wrong(key, "a name");
        }
        return e.getAsString();
    }

    public boolean flag(String key, boolean absent) {
        if (!has(key)) {
            return absent;
        }
        JsonElement e = json.get(key);
        if (!e.isJsonPrimitive() || !e.getAsJsonPrimitive().isBoolean()) {
            throw wrong(key, "true or false");
        }
        return e.getAsBoolean();
    }

    /** @throws IllegalArgumentException unless the key is absent or has the one value that is supported */
    public void only(String key, Object supported) {
        if (has(key) && !json.get(key).getAsString().equals(supported.toString())) {
            throw wrong(key, supported + " (nothing else is supported)");
        }
    }
}
