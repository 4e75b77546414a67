// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiPredicate;
import org.tweedie.device.cudnn.binding.Backend;
import org.tweedie.device.cudnn.engine.EngineChoice;
import org.tweedie.device.cudnn.engine.Note;

/**
 * A cuDNN that checks what it is told against {@link CudnnRules}. It also checks that descriptors are finished before they are
 * used, live as long as others refer to them, and are destroyed once. It offers the engines that a test gives it and runs plans
 * by {@link GraphMachine}, in double, on the host.
 */
final class FakeCudnn implements Backend {
    static final EngineChoice FIRST = new EngineChoice(41, new TreeMap<>(Map.of(2L, 19L, 28L, 2L)));
    static final EngineChoice SECOND = new EngineChoice(7, new TreeMap<>());

    /**
     * A descriptor.
     *
     * @param values for each attribute its numbers, or a float's bits
     */
    static final class Entry {
        final int kind;
        final Map<Integer, long[]> values = new LinkedHashMap<>();
        boolean finished;
        boolean filled; // the library has filled it, which finishes it too

        Entry(int kind) {
            this.kind = kind;
        }
    }

    /** An engine on offer, for heuristics mode A or for the fallback mode. */
    record Offer(EngineChoice choice, boolean last, Set<Note> notes) {}

    final Map<Long, Entry> live = new LinkedHashMap<>();
    final List<EngineChoice> ran = new ArrayList<>();
    List<Offer> offers = List.of(new Offer(FIRST, false, Set.of(Note.TENSOR_CORE)), new Offer(SECOND, true, Set.of()));
    long version = 92400;
    int handles;
    int created;
    int asked; // how often heuristics were asked
    long planBytes = 1000;
    /** The bytes of plans of engines that need other than {@link #planBytes}. */
    Map<Long, Long> bytesOfEngine = Map.of();
    /** The finishes that fail: by kind, and how many of that kind were finished before. */
    BiPredicate<Integer, Integer> failing = (kind, before) -> false;
    int status = 3000;
    /** The status that destroying returns although it is done: a card that has faulted fails every call. */
    int destroyed;
    /** The choices that fail when they are run. */
    Set<EngineChoice> failingRuns = Set.of();
    private final Map<Integer, Integer> finishes = new HashMap<>();
    private long next = 0x1000;

    @Override
    public long version() {
        return version;
    }

    @Override
    public String describe(int code) {
        String name = switch (code) {
            case 3000 -> "CUDNN_STATUS_NOT_SUPPORTED";
            case 4001 -> "CUDNN_STATUS_INTERNAL_ERROR_COMPILATION_FAILED";
            default -> "CUDNN_STATUS_BAD_PARAM";
        };
        return name + " (" + code + "): the fake was told to fail";
    }

    @Override
    public int createHandle(MemorySegment handle) {
        handles++;
        handle.set(ValueLayout.JAVA_LONG, 0, 0xABC0);
        return 0;
    }

    @Override
    public int destroyHandle(long handle) {
        assertEquals(0xABC0, handle);
        handles--;
        return destroyed;
    }

    @Override
    public int setStream(long handle, long stream) {
        assertEquals(0xABC0, handle);
        return stream == 666 ? 2000 : 0;
    }

    @Override
    public int create(int kind, MemorySegment descriptor) {
        assertTrue(CudnnRules.OF_KIND.containsKey(kind), "kind " + kind);
        created++;
        live.put(next, new Entry(kind));
        descriptor.set(ValueLayout.JAVA_LONG, 0, next);
        next += 0x10;
        return 0;
    }

    @Override
    public int destroy(long descriptor) {
        assertNotNull(live.remove(descriptor), "destroyed twice, or never made");
        live.forEach((at, user) -> user.values.forEach((a, refs) -> {
            if (refersByAddress(user.kind, a)) {
                assertFalse(Arrays.stream(refs).anyMatch(r -> r == descriptor), "destroyed while kind " + user.kind
                        + " refers to it");
            }
        }));
        return destroyed;
    }

    private static boolean refersByAddress(int kind, int attribute) {
        CudnnRules.Rule rule = CudnnRules.OF_KIND.get(kind).get(attribute);
        return rule != null && rule.type() == 15;
    }

    @Override
    public int set(long descriptor, int attribute, int type, long count, MemorySegment values) {
        Entry e = entry(descriptor);
        assertFalse(e.finished, "set after finishing");
        CudnnRules.Rule rule = CudnnRules.OF_KIND.get(e.kind).get(attribute);
        String where = "kind " + e.kind + ", attribute " + attribute;
        assertNotNull(rule, where + " is not one of that kind");
        assertEquals(rule.type(), type, where + ": type");
        assertTrue(count >= rule.least() && count <= rule.most(), where + ": " + count + " elements");
        assertEquals(count * CudnnRules.bytes(type), values.byteSize(), where + ": bytes");
        long[] v = new long[(int) count];
        for (int i = 0; i < v.length; i++) {
            v[i] = switch (CudnnRules.bytes(type)) {
                case 8 -> values.getAtIndex(ValueLayout.JAVA_LONG, i);
                case 4 -> values.getAtIndex(ValueLayout.JAVA_INT, i);
                default -> values.get(ValueLayout.JAVA_BYTE, i);
            };
            if (type == 15) {
                requireUsable(v[i], rule.ref(), where);
            }
        }
        e.values.put(attribute, v);
        return 0;
    }

    private void requireUsable(long descriptor, int kind, String where) {
        Entry e = entry(descriptor);
        assertTrue(e.finished || e.filled, where + " takes a descriptor that is not finished");
        assertTrue(kind == e.kind || kind == -2 && Set.of(10, 12, 13, 19, 22, 31).contains(e.kind), where
                + " takes a descriptor of kind " + e.kind);
    }

    private Entry entry(long descriptor) {
        Entry e = live.get(descriptor);
        assertNotNull(e, "no such descriptor: " + descriptor);
        return e;
    }

    @Override
    public int get(long descriptor, int attribute, int type, long room, MemorySegment count, MemorySegment values) {
        Entry e = entry(descriptor);
        assertTrue(e.finished || e.filled, "asked before finishing");
        return switch (attribute) {
            case 202 -> engineConfigurations(e, room, count, values);
            case 300 -> fill(values, List.of(values(1301, e.values.get(1301), 1303, e.values.get(1303))), count);
            case 302 -> fill(values, knobs(e), count);
            default -> numbers(e, attribute, type, room, count, values);
        };
    }

    private int engineConfigurations(Entry heuristics, long room, MemorySegment count, MemorySegment values) {
        boolean last = heuristics.values.get(200)[0] == 2;
        List<Offer> offered = offers.stream().filter(o -> o.last() == last).toList();
        count.set(ValueLayout.JAVA_LONG, 0, offered.size());
        if (room > 0) {
            asked++;
            fill(values, offered.stream().map(FakeCudnn::configuration).toList(), count);
        }
        return 0;
    }

    private static Map<Integer, long[]> configuration(Offer o) {
        Map<Integer, long[]> v = values(1301, new long[] {o.choice().engine()}, 1303, o.notes().stream().mapToLong(Note::ordinal)
                .toArray());
        v.put(600, o.choice().knobs().keySet().stream().mapToLong(k -> k).toArray());
        v.put(601, o.choice().knobs().values().stream().mapToLong(k -> k).toArray());
        return v;
    }

    private static List<Map<Integer, long[]>> knobs(Entry configuration) {
        List<Map<Integer, long[]>> all = new ArrayList<>();
        for (int i = 0; i < configuration.values.get(600).length; i++) {
            all.add(values(600, new long[] {configuration.values.get(600)[i]}, 601,
                    new long[] {configuration.values.get(601)[i]}));
        }
        return all;
    }

    private static Map<Integer, long[]> values(int a, long[] x, int b, long[] y) {
        return new HashMap<>(Map.of(a, x, b, y));
    }

    private int fill(MemorySegment descriptors, List<Map<Integer, long[]>> with, MemorySegment count) {
        for (int i = 0; i < with.size(); i++) {
            Entry e = entry(descriptors.getAtIndex(ValueLayout.JAVA_LONG, i));
            assertFalse(e.finished, "the library fills new descriptors only");
            e.filled = true;
            e.values.putAll(with.get(i));
        }
        count.set(ValueLayout.JAVA_LONG, 0, with.size());
        return 0;
    }

    private int numbers(Entry e, int attribute, int type, long room, MemorySegment count, MemorySegment values) {
        long[] v = attribute == 402 ? new long[] {bytesOfEngine.getOrDefault(engine(e).values.get(1301)[0], planBytes)}
                : e.values.get(attribute);
        assertNotNull(v, "kind " + e.kind + " has no attribute " + attribute);
        for (int i = 0; i < Math.min(room, v.length); i++) {
            if (type == 11 || type == 9) {
                values.setAtIndex(ValueLayout.JAVA_INT, i, (int) v[i]);
            } else {
                values.setAtIndex(ValueLayout.JAVA_LONG, i, v[i]);
            }
        }
        count.set(ValueLayout.JAVA_LONG, 0, v.length);
        return 0;
    }

    @Override
    public int finish(long descriptor) {
        Entry e = entry(descriptor);
        assertFalse(e.finished || e.filled, "finished twice");
        CudnnRules.OF_KIND.get(e.kind).forEach((a, rule) -> assertTrue(!rule.required() || e.values.containsKey(a), "kind "
                + e.kind + " lacks attribute " + a));
        int before = finishes.merge(e.kind, 1, Integer::sum) - 1;
        if (failing.test(e.kind, before)) {
            return status;
        }
        e.finished = true;
        return 0;
    }

    @Override
    public int execute(long handle, long plan, long variantPack) {
        assertEquals(0xABC0, handle);
        requireUsable(plan, 5, "execute");
        requireUsable(variantPack, 16, "execute");
        Entry config = entry(entry(plan).values.get(401)[0]);
        Entry engine = engine(entry(plan));
        ran.add(new EngineChoice(engine.values.get(1301)[0], new TreeMap<>(knobsOf(config))));
        if (failingRuns.contains(ran.getLast())) {
            return status;
        }
        Entry graph = entry(engine.values.get(1300)[0]);
        new GraphMachine(live, entry(variantPack)).run(graph.values.get(801));
        return 0;
    }

    private Entry engine(Entry plan) {
        return entry(entry(plan.values.get(401)[0]).values.get(300)[0]);
    }

    private Map<Long, Long> knobsOf(Entry config) {
        Map<Long, Long> knobs = new HashMap<>();
        for (long k : config.values.getOrDefault(302, new long[0])) {
            knobs.put(entry(k).values.get(600)[0], entry(k).values.get(601)[0]);
        }
        return knobs;
    }
}
