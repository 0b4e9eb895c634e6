package dev.sortie.opencl;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Skips a test, or all of a class, where there is no OpenCL, with the reason. A condition rather
 * than an assumption: one that fails in the source of a parameterised test leaves no trace in the
 * report of Surefire.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(NeedsDevice.Condition.class)
@interface NeedsDevice {

  /** Asks for the devices of this machine. */
  final class Condition implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      OpenClDevices found = OpenClDevices.list();
      return found.devices().isEmpty()
          ? ConditionEvaluationResult.disabled(found.reason())
          : ConditionEvaluationResult.enabled("there is a device");
    }
  }
}
