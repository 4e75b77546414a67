// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx;

import java.util.List;

/** One kernel of a module, decoded. */
public final class Entry {
    private final PtxModule module;
    private final Parser.Body body;
    final Op[] code;
    final Assembly.Registers registers;
    final Layout layout;

    Entry(PtxModule module, Parser.Body body, Op[] code, Assembly.Registers registers, Layout layout) {
        this.module = module;
        this.body = body;
        this.code = code;
        this.registers = registers;
        this.layout = layout;
    }

    public String name() {
        return body.name();
    }

    PtxModule module() {
        return module;
    }

    String file() {
        return module.file();
    }

    /** Types of its parameters in order: u64 (pointers too), u32, f32, .. or b8[n] for a struct of n bytes. */
    public List<String> parameters() {
        return params().stream().map(v -> v.type().equals("b8") ? "b8[" + v.bytes() + "]" : v.type()).toList();
    }

    List<Variable> params() {
        return body.params();
    }

    /** Threads of a block at most along x, y, z as the kernel says, or null. */
    int[] maxThreads() {
        return body.maxThreads();
    }

    /** Bytes of shared memory that it always has. */
    public int staticShared() {
        return layout.sharedBytes();
    }

    /** Instructions in its text. */
    public int instructions() {
        return code.length;
    }
}
