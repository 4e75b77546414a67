// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

import java.util.List;
import org.tweedie.ptx.launch.Window;
import org.tweedie.ptx.text.Parser;
import org.tweedie.ptx.text.Variable;

/** One decoded kernel of a module. */
public final class Entry {
    private final String file;
    private final List<Window> constants;
    private final Parser.Body body;
    final Instruction[] code;
    final Registers registers;
    public final Layout layout;

    public Entry(String file, List<Window> constants, Parser.Body body, Instruction[] code, Registers registers, Layout layout) {
        this.file = file;
        this.constants = constants;
        this.body = body;
        this.code = code;
        this.registers = registers;
        this.layout = layout;
    }

    public String name() {
        return body.name();
    }

    /** Returns the module's constants, which a kernel may read besides its arguments. */
    public List<Window> constants() {
        return constants;
    }

    String file() {
        return file;
    }

    /** Returns the types of the parameters in order: u64 (for pointers too), u32, f32, .. or b8[n] for a struct of n bytes. */
    public List<String> parameters() {
         return params().stream().map(v -> v.type().equals("b8") ? "b8[" + v.bytes() + "]" : v.type()).toList();
    }

    public List<Variable> params() {
        return body.params();
    }

    /** Returns the most threads of a block along x, y and z that the kernel declares, or null where it declares none. */
    public int[] maxThreads() {
        return body.maxThreads();
    }

    /** Returns the bytes of shared memory that the kernel always has. */
    public int staticShared() {
        return layout.sharedBytes();
    }

    /** Returns the number of instructions in the kernel's text. */
    public int instructions() {
        return code.length;
    }
}
