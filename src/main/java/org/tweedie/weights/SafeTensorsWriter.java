// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.tweedie.program.Tensor;

/** Writes safetensors files. */
final class SafeTensorsWriter {
    private static final int CHUNK = 1 << 20;   // bytes per write; heap arrays reach a file through a copy

    private SafeTensorsWriter() {
    }

    static void write(Path path, Map<String, Tensor> tensors, Map<String, String> metadata) throws IOException {
        Path folder = path.toAbsolutePath().getParent();
        if (folder == null || Files.isDirectory(path)) {
            throw CheckpointException.of(path.toString(), "is a folder; expected the name of a file to write; add a file name");
        }
        if (!Files.isDirectory(folder)) {
            throw CheckpointException.of(path.toString(), "cannot be written, because the folder " + folder
                    + " does not exist; create it first");
        }
        List<Map.Entry<String, Tensor>> order = order(path, tensors);
        byte[] header = header(path, order, metadata);
        Path temporary = folder.resolve("." + path.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try {
            try (FileChannel out = FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                send(out, MemorySegment.ofArray(header));
                for (var e : order) {
                    send(out, e.getValue().data());
                }
                out.force(true);
            }
            Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
        } catch (AccessDeniedException e) {
            throw new CheckpointException(path + ": cannot be written, because there is no permission in folder " + folder
                    + "; choose another folder or change its permissions", e);
        } catch (IOException e) {
            String why = e instanceof FileSystemException f && f.getReason() != null ? f.getReason() : e.getMessage();
            throw new CheckpointException(path + ": cannot be written (" + why + "); nothing was changed there", e);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static List<Map.Entry<String, Tensor>> order(Path path, Map<String, Tensor> tensors) throws CheckpointException {
        for (String name : tensors.keySet()) {
            if (name.equals(SafeTensorsHeader.METADATA) || !SafeTensorsHeader.isUnicode(name)) {
                throw CheckpointException.of(path.toString(), name, "cannot be the name of a tensor; rename it");
            }
        }
        List<Map.Entry<String, Tensor>> order = new ArrayList<>(tensors.entrySet());
        order.sort(Comparator.comparingInt((Map.Entry<String, Tensor> e) -> -e.getValue().dtype().bytes())
                .thenComparing(Map.Entry::getKey));
        return order;
    }

    /** Returns the length, the JSON and the spaces that bring both to a multiple of 8 bytes. */
    private static byte[] header(Path path, List<Map.Entry<String, Tensor>> order, Map<String, String> metadata)
            throws IOException {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        try (JsonWriter out = new JsonWriter(new OutputStreamWriter(json, StandardCharsets.UTF_8))) {
            out.setStrictness(Strictness.STRICT);
            out.beginObject();
            if (!metadata.isEmpty()) {
                out.name(SafeTensorsHeader.METADATA).beginObject();
                for (var e : new TreeMap<>(metadata).entrySet()) {
                    out.name(e.getKey()).value(e.getValue());
                }
                out.endObject();
            }
            long at = 0;
            for (var e : order) {
                Tensor t = e.getValue();
                out.name(e.getKey()).beginObject().name("dtype").value(t.dtype().name()).name("shape").beginArray();
                for (int d : t.shape().dims()) {
                    out.value(d);
                }
                out.endArray().name("data_offsets").beginArray().value(at).value(at + t.data().byteSize()).endArray().endObject();
                at += t.data().byteSize();
            }
            out.endObject();
        }
        int length = (json.size() + 7) & ~7;
        if (length > SafeTensorsHeader.LONGEST) {
            throw CheckpointException.of(path.toString(), "the header would take " + length + " bytes; at most "
                    + SafeTensorsHeader.LONGEST + " are allowed; write fewer tensors per file");
        }
        ByteBuffer out = ByteBuffer.allocate(8 + length).order(ByteOrder.LITTLE_ENDIAN).putLong(length).put(json.toByteArray());
        while (out.hasRemaining()) {
            out.put((byte) ' ');
        }
        return out.array();
    }

    private static void send(FileChannel out, MemorySegment data) throws IOException {
        byte[] chunk = new byte[(int) Math.min(CHUNK, data.byteSize())];
        for (long at = 0; at < data.byteSize(); at += chunk.length) {
            int n = (int) Math.min(chunk.length, data.byteSize() - at);
            MemorySegment.copy(data, at, MemorySegment.ofArray(chunk), 0, n);
            for (ByteBuffer b = ByteBuffer.wrap(chunk, 0, n); b.hasRemaining();) {
                out.write(b);
            }
        }
    }
}
