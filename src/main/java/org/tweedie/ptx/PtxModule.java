// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.ptx.decode.Assembly;
import org.tweedie.ptx.decode.Decoder;
import org.tweedie.ptx.execution.Entry;
import org.tweedie.ptx.execution.Instruction;
import org.tweedie.ptx.execution.Layout;
import org.tweedie.ptx.launch.Window;
import org.tweedie.ptx.text.Parser;
import org.tweedie.ptx.text.PtxException;
import org.tweedie.ptx.text.Statement;
import org.tweedie.ptx.text.Variable;

/** A parsed PTX file: its constants, and its kernels, each of which is decoded when it is first asked for. */
public final class PtxModule {
    private final String file;
    private final Map<String, Parser.Body> bodies;
    private final Map<String, Variable> variables = new LinkedHashMap<>();
    private final Map<String, Long> addresses = new HashMap<>();
    private final Map<String, Entry> entries = new HashMap<>();
    /** This list holds the constants' memory, which must live as long as the module. */
    private final List<MemorySegment> held = new ArrayList<>();
    private final List<Window> constants = new ArrayList<>();

    private PtxModule(String file, String text) {
        this.file = file;
        this.bodies = Parser.parse(file, text, variables);
        for (Variable v : variables.values()) {
            if (!v.space().equals("shared")) {
                constant(v);
            }
        }
    }

    /**
     * Parses the text of a PTX file.
     *
     * @throws PtxException naming file and line where the text is malformed or uses something that the machine does not know
     */
    public static PtxModule parse(String file, String text) {
        return new PtxModule(file, text);
    }

    private void constant(Variable v) {
        if (v.init() == null) {
            throw new PtxException(file + ": variable '" + v.name() + "' in ." + v.space()
                    + " memory has no initial value; this machine supports constants only");
        }
        MemorySegment s = Arena.ofAuto().allocate(v.bytes(), 256);
        s.copyFrom(MemorySegment.ofArray(v.init()));
        held.add(s);
        addresses.put(v.name(), s.address());
        constants.add(new Window(v.name(), s.address(), v.bytes(), true, false));
    }

    /**
     * Returns a kernel, decoded.
     *
     * @throws PtxException when there is no such kernel, naming those that exist, or when it holds an instruction that the
     *         machine does not know
     */
    public synchronized Entry entry(String name) {
        Parser.Body b = bodies.get(name);
        if (b == null) {
            throw new PtxException(file + ": kernel '" + name + "': no kernel has this name; the file has "
                    + String.join(", ", bodies.keySet()));
        }
        return entries.computeIfAbsent(name, n -> decode(b));
    }

    private Entry decode(Parser.Body b) {
        Layout layout = new Layout(b, variables, addresses);
        Assembly a = new Assembly(file, b, layout);
        Instruction[] code = new Instruction[b.statements().size()];
        for (int i = 0; i < code.length; i++) {
            Statement s = b.statements().get(i);
            a.begin(s);
            code[i] = a.end(Decoder.decode(a, s));
        }
        return new Entry(file, constants, b, code, a.registers(), layout);
    }

    public List<String> entries() {
        return List.copyOf(bodies.keySet());
    }
}
