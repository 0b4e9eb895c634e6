package dev.sortie.tensor.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.tensor.dtype.DType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-kernels")
class WorkspaceContractTest {
  @Test
  void whatIsGivenBackIsUsedAgainAndFailsOnUse() {
    try (Workspace workspace = new Workspace()) {
      Span first = workspace.allocate(DType.F32, 16).span();
      long address = first.address();
      workspace.reset();
      assertThat(workspace.allocate(DType.F32, 16).span().address()).isEqualTo(address);
      assertThatThrownBy(() -> first.get(0)).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void aClosedOneGivesOutNothing() {
    Workspace workspace = new Workspace();
    workspace.allocate(DType.F32, 16);
    workspace.close();
    assertThatThrownBy(() -> workspace.allocate(DType.F32, 16))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(workspace::mark).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(workspace::reset)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(() -> workspace.allocate(DType.F32, 16))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void closingTwiceIsHarmless() {
    Workspace workspace = new Workspace();
    Workspace.Mark mark = workspace.mark();
    workspace.close();
    workspace.close();
    mark.close();
    workspace.close();
  }
}
