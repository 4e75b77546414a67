// SPDX-License-Identifier: Apache-2.0
package org.tweedie;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/**
 * Checks that every public type has a comment, and in the packages that users' programs see every public method too. Javadoc
 * checks in {@code mvn verify} that comments are well formed and that their links resolve.
 */
class DocumentedTest {
    @Test
    void publicTypesAndTheUsersMethodsHaveAComment() throws IOException {
        Set<String> users = HouseTest.apiPackages();
        Set<String> without = new TreeSet<>();
        int[] seen = {0};
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (Stream<Path> all = Files.walk(Path.of("src/main/java"));
                StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            List<Path> sources = all.filter(p -> p.toString().endsWith(".java")).collect(Collectors.toList());
            JavacTask task = (JavacTask) compiler.getTask(null, files, null, List.of("-proc:none"), null,
                    files.getJavaFileObjectsFromPaths(sources));
            DocTrees docs = DocTrees.instance(task);
            for (CompilationUnitTree unit : task.parse()) {
                boolean methods = users.contains(unit.getPackageName().toString());
                new TreePathScanner<Void, Void>() {
                    @Override
                    public Void visitClass(ClassTree type, Void none) {
                        if (isPublic(type.getModifiers())) {
                            seen[0]++;
                            check(unit.getPackageName() + "." + type.getSimpleName(), getCurrentPath());
                        }
                        return super.visitClass(type, none);
                    }

                    @Override
                    public Void visitMethod(MethodTree method, Void none) {
                        boolean overrides = method.getModifiers().toString().contains("@Override");
                        ClassTree type = (ClassTree) getCurrentPath().getParentPath().getLeaf();
                        boolean canonical = method.getName().contentEquals("<init>") && type.getKind() == Tree.Kind.RECORD;
                        boolean shown = type.getKind() == Tree.Kind.INTERFACE || isPublic(method.getModifiers());
                        if (methods && shown && isPublic(type.getModifiers()) && !overrides && !canonical) {
                            check(unit.getPackageName() + "." + type.getSimpleName() + "." + method.getName(), getCurrentPath());
                        }
                        return null;
                    }

                    private void check(String name, TreePath path) {
                        if (docs.getDocComment(path) == null) {
                            without.add(name);
                        }
                    }
                }.scan(unit, null);
            }
        }
        assertTrue(seen[0] > 100, "only " + seen[0] + " public types; the sources were looked for in the wrong place");
        assertEquals(Set.of(), without, "public, and without a comment");
    }

    private static boolean isPublic(ModifiersTree modifiers) {
        return modifiers.getFlags().contains(Modifier.PUBLIC);
    }
}
