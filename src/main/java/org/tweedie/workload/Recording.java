// SPDX-License-Identifier: Apache-2.0
package org.tweedie.workload;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.device.Footprint;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.op.Cost;

/** A device that records what is compiled and how often it runs. The device behind it stays open. */
public final class Recording implements Device {
    /** A program that was compiled, in the form that the device gave it. */
    public static final class Part {
        private final Program program;
        private final long arena;
        private final long[] inUse;
        private long runs;

        private Part(Executable e) {
            program = e.program();
            arena = e.arenaBytes();
            inUse = e.arenaInUse();
        }

        public Program program() {
            return program;
        }

        /** The bytes of its arena. */
        public long arena() {
            return arena;
        }

        /** How often it ran. */
        public long runs() {
            return runs;
        }

        /**
         * What each block of the model takes: its name up to the first number in it, in the order in which blocks begin. An
         * instruction without a name belongs to the block before it.
         */
        public List<Block> blocks(Rates rates) {
            Map<String, Block> blocks = new LinkedHashMap<>();
            String name = "";
            for (int n = 0; n < program.body().size(); n++) {
                Instr i = program.body().get(n);
                name = i.where().isEmpty() ? name : i.block(1);
                Block one = new Block(name, n < inUse.length ? inUse[n] : 0, i.cost(), rates.seconds(i.cost()));
                blocks.merge(name, one, Block::plus);
            }
            return List.copyOf(blocks.values());
        }

        /** All blocks together. */
        public Block whole(Rates rates) {
            return blocks(rates).stream().reduce(new Block("", 0, Cost.NONE, 0), Block::plus);
        }
    }

    /**
     * What a part of a program takes in one run.
     *
     * @param arena the most bytes of the arena that are in use during it
     * @param seconds the least time, at the highest rates of the device
     */
    public record Block(String name, long arena, Cost cost, double seconds) {
        Block plus(Block o) {
            return new Block(name, Math.max(arena, o.arena), cost.plus(o.cost), seconds + o.seconds);
        }
    }

    private final Device device;
    private final List<Part> parts = new ArrayList<>();

    public Recording(Device device) {
        this.device = device;
    }

    /** The programs in the order in which they were compiled. */
    public List<Part> parts() {
        return List.copyOf(parts);
    }

    @Override
    public String name() {
        return device.name();
    }

    @Override
    public String description() {
        return device.description();
    }

    @Override
    public Executable compile(Program program) {
        Executable e = device.compile(program);
        Part part = new Part(e);
        parts.add(part);
        return new Executable() {
            @Override
            public Program program() {
                return e.program();
            }

            @Override
            public Map<String, Tensor> run(Map<String, Tensor> inputs) {
                part.runs++;
                return e.run(inputs);
            }

            @Override
            public long arenaBytes() {
                return e.arenaBytes();
            }

            @Override
            public void close() {
                e.close();
            }
        };
    }

    @Override
    public long liveBytes() {
        return device.liveBytes();
    }

    @Override
    public Footprint footprint() {
        return device.footprint();
    }

    @Override
    public void close() {
        // whoever opened the device behind this one closes it
    }
}
