// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.tweedie.program.Tensor;

/**
 * The tensors of one model: one safetensors file, or the several files that an index ({@code *.safetensors.index.json}) names.
 * They are open until {@link #close}, and the tensors are valid as long.
 */
public final class Shards implements AutoCloseable {
    private final Map<String, SafeTensors> files;
    private final Map<String, Tensor> tensors;

    private Shards(Map<String, SafeTensors> files, Map<String, Tensor> tensors) {
        this.files = files;
        this.tensors = Collections.unmodifiableMap(tensors);
    }

    /**
     * Opens a {@code .safetensors} file or a {@code .json} index.
     *
     * @throws IOException naming the first fault
     */
    public static Shards open(Path path) throws IOException {
        return open(path, path.toString());
    }

    /**
     * Opens a file as {@link #open(Path)} does.
     *
     * @param where the name that messages give the file
     */
    static Shards open(Path path, String where) throws IOException {
        Map<String, SafeTensors> files = new LinkedHashMap<>();
        try {
            if (!path.getFileName().toString().endsWith(".json")) {
                SafeTensors only = SafeTensors.open(path, where);
                files.put(where, only);
                return new Shards(files, only.tensors());
            }
            Map<String, String> index = index(path, where);
            for (String shard : new TreeMap<>(invert(index)).keySet()) {
                files.put(shard, openShard(path, where, shard));
            }
            return new Shards(files, join(where, index, files));
        } catch (IOException | RuntimeException | Error e) {
            files.values().forEach(SafeTensors::close);
            throw e;
        }
    }

    /** Returns the shard file name of each tensor name. */
    private static Map<String, String> index(Path path, String where) throws IOException {
        Json json = Json.read(path, where);
        if (!json.has("weight_map") || !json.object().get("weight_map").isJsonObject()) {
            throw CheckpointException.of(where, "has no object 'weight_map'; this is not an index of shards");
        }
        Json map = new Json(where + ": weight_map", json.object().getAsJsonObject("weight_map"));
        Map<String, String> out = new LinkedHashMap<>();
        for (String tensor : map.object().keySet()) {
            out.put(tensor, map.text(tensor));
        }
        if (out.isEmpty()) {
            throw CheckpointException.of(where, "'weight_map' is empty; download the file again");
        }
        return out;
    }

    private static Map<String, List<String>> invert(Map<String, String> index) {
        Map<String, List<String>> out = new LinkedHashMap<>();
        index.forEach((tensor, shard) -> out.computeIfAbsent(shard, s -> new ArrayList<>()).add(tensor));
        return out;
    }

    private static SafeTensors openShard(Path index, String where, String shard) throws IOException {
        if (shard.isEmpty() || shard.equals("..") || shard.equals(".") || shard.indexOf('/') >= 0 || shard.indexOf('\\') >= 0
                || shard.indexOf('\0') >= 0) {
            throw CheckpointException.of(where, "names the shard " + Quote.of(shard)
                    + ", expected the name of a file beside the index; do not trust this checkpoint");
        }
        Path file = index.resolveSibling(shard);
        if (!Files.exists(file)) {
            throw CheckpointException.of(where, "shard " + Quote.of(shard) + " is missing beside the index; download it");
        }
        int slash = where.lastIndexOf('/');
        return SafeTensors.open(file, where.substring(0, slash + 1) + shard);
    }

    private static Map<String, Tensor> join(String where, Map<String, String> index, Map<String, SafeTensors> files)
            throws CheckpointException {
        Map<String, String> at = new LinkedHashMap<>();
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (var file : files.entrySet()) {
            for (var t : file.getValue().tensors().entrySet()) {
                String other = at.put(t.getKey(), file.getKey());
                if (other != null) {
                    throw CheckpointException.of(where, t.getKey(), "is in both shards " + Quote.of(other) + " and "
                            + Quote.of(file.getKey()) + "; the shards do not belong together, download them again");
                }
                tensors.put(t.getKey(), t.getValue());
            }
        }
        for (var e : index.entrySet()) {
            String real = at.remove(e.getKey());
            if (!e.getValue().equals(real)) {
                throw CheckpointException.of(where, e.getKey(), "is listed in shard " + Quote.of(e.getValue()) + " but is in "
                        + (real == null ? "no shard" : Quote.of(real))
                        + "; index and shards do not belong together, download them again");
            }
        }
        for (var e : at.entrySet()) {
            throw CheckpointException.of(where, e.getKey(), "is in shard " + Quote.of(e.getValue())
                    + " but not in the index; index and shards do not belong together, download them again");
        }
        return tensors;
    }

    /** Returns all tensors by name: shards by file name, and in each the order of its header. */
    public Map<String, Tensor> tensors() {
        return tensors;
    }

    /** Returns the names of the files, as messages show them. */
    public List<String> files() {
        return List.copyOf(files.keySet());
    }

    @Override
    public void close() {
        files.values().forEach(SafeTensors::close);
    }
}
